package digits

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"sync"
)

// Count is the number of pictures and Side their width and height in pixels.
const (
	Count = 1797
	Side  = 8
)

//go:embed digits.csv.gz
var file []byte

// Set is the pictures and what they show.
type Set struct {
	// Pixels holds Count x Side x Side values, 0 (paper) to 255 (ink).
	Pixels []uint8
	// Labels holds the digit of each picture.
	Labels []int32
}

// Load unpacks the set, once. The result is shared and only to be read.
var Load = sync.OnceValues(parse)

// parse reads lines of 64 values from 0 to 16 and a digit.
func parse() (*Set, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("unpacking the embedded digits: %w", err)
	}
	r := csv.NewReader(unzipped)
	r.FieldsPerRecord = Side*Side + 1
	r.ReuseRecord = true
	set := new(Set)
	for range Count {
		record, err := r.Read()
		if err != nil {
			return nil, fmt.Errorf("reading the embedded digits: %w", err)
		}
		for i, field := range record {
			v, err := strconv.Atoi(field)
			if err != nil || v < 0 || v > 16 {
				return nil, fmt.Errorf("reading the embedded digits: %q is not a value from 0 to 16", field)
			}
			if i < Side*Side {
				set.Pixels = append(set.Pixels, uint8((v*255+8)/16))
			} else {
				set.Labels = append(set.Labels, int32(v))
			}
		}
	}
	return set, nil
}
