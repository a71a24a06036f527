package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"unicode/utf8"
)

// The safetensors format (https://github.com/huggingface/safetensors): eight
// bytes with the header's length, a JSON header that gives each tensor's
// dtype, shape and place, then the tensors' bytes without gaps.

// maxSafetensorsHeader is the bound that the reference implementation sets.
const maxSafetensorsHeader = 100_000_000

// metadataKey is the header's key for a map of strings.
const metadataKey = "__metadata__"

// ReadSafetensors reads a whole safetensors file: its tensors in the order of
// the header, and its metadata, which may be nil. Errors name the file, the
// tensor and what is wrong.
func ReadSafetensors(path string) (*Tensors, map[string]string, error) {
	f, size, err := openForReading(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	tensors, meta, err := decodeSafetensors(f, size)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, meta, nil
}

// entry is what the header says of one tensor.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64 // counted from the end of the header
}

// looksLikeSafetensors judges by the first nine bytes.
func looksLikeSafetensors(head []byte, size int64) bool {
	if len(head) < 9 || head[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(head)
	return n >= 2 && n <= maxSafetensorsHeader
}

func decodeSafetensors(r io.ReaderAt, size int64) (*Tensors, map[string]string, error) {
	var prefix [8]byte
	if size < 8 {
		return nil, nil, fmt.Errorf("a safetensors file begins with 8 bytes of length, this one has %d bytes in all", size)
	}
	if _, err := r.ReadAt(prefix[:], 0); err != nil {
		return nil, nil, err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxSafetensorsHeader {
		return nil, nil, fmt.Errorf("the header claims %d bytes; at most %d are allowed", n, maxSafetensorsHeader)
	}
	if int64(n) > size-8 {
		return nil, nil, fmt.Errorf("the file is truncated: its header takes %d bytes and only %d follow", n, size-8)
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8); err != nil {
		return nil, nil, err
	}
	entries, meta, err := parseHeader(header)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors header: %w", err)
	}
	start := 8 + int64(n)
	if err := checkPlaces(entries, size-start); err != nil {
		return nil, nil, err
	}
	tensors := new(Tensors)
	for _, e := range entries {
		data := make([]byte, e.end-e.begin)
		if err := readFull(r, data, start+e.begin); err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", e.name, err)
		}
		if err := tensors.Add(Tensor{e.name, e.dtype, e.shape, data}); err != nil {
			return nil, nil, err
		}
	}
	return tensors, meta, nil
}

// readFull fills b from offset at; a file that ends earlier is an error.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return fmt.Errorf("the file ends at byte %d, where %d more were expected", at+int64(n), len(b)-n)
	}
	return err
}

func parseHeader(header []byte) ([]entry, map[string]string, error) {
	if !utf8.Valid(header) {
		return nil, nil, errors.New("it is not valid UTF-8")
	}
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, errors.New("it does not begin with {")
	}
	var entries []entry
	var meta map[string]string
	dec := json.NewDecoder(bytes.NewReader(header))
	err := eachKey(dec, func(key string) error {
		if key == metadataKey {
			meta = make(map[string]string)
			err := eachKey(dec, func(k string) error {
				v, err := decodeValue[string](dec)
				meta[k] = v
				return err
			})
			if err != nil {
				return fmt.Errorf("%s, which must map strings to strings: %w", metadataKey, err)
			}
			return nil
		}
		e, err := parseEntry(key, dec)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", key, err)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if rest := bytes.TrimRight(header[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, nil, fmt.Errorf("%d bytes follow its closing brace", len(rest))
	}
	return entries, meta, nil
}

func parseEntry(name string, dec *json.Decoder) (entry, error) {
	e := entry{name: name, begin: -1}
	var hasType, hasShape bool
	err := eachKey(dec, func(key string) error {
		switch key {
		case "dtype":
			s, err := decodeValue[string](dec)
			if err != nil {
				return fmt.Errorf("dtype: %w", err)
			}
			if e.dtype, hasType = dtypeByName(s); !hasType {
				return fmt.Errorf("dtype %s is not supported; known are %s", s, knownDTypes())
			}
		case "shape":
			dims, err := decodeInts(dec)
			if err != nil {
				return fmt.Errorf("shape: %w", err)
			}
			hasShape, e.shape = true, make([]int, len(dims))
			for i, d := range dims {
				if d > math.MaxInt {
					return fmt.Errorf("shape %v is impossible", dims)
				}
				e.shape[i] = int(d)
			}
		case "data_offsets":
			o, err := decodeInts(dec)
			if err != nil {
				return fmt.Errorf("data_offsets: %w", err)
			}
			if len(o) != 2 || o[0] < 0 || o[1] < o[0] {
				return fmt.Errorf("data_offsets %v are not a begin and an end", o)
			}
			e.begin, e.end = o[0], o[1]
		default:
			_, err := decodeValue[json.RawMessage](dec)
			return err
		}
		return nil
	})
	switch {
	case err != nil:
		return e, err
	case !hasType:
		return e, errors.New("dtype is missing")
	case !hasShape:
		return e, errors.New("shape is missing")
	case e.begin < 0:
		return e, errors.New("data_offsets are missing")
	}
	n, ok := elements(e.shape)
	if !ok {
		return e, fmt.Errorf("shape %v is impossible", e.shape)
	}
	if want := int64(n) * int64(e.dtype.Size()); want != e.end-e.begin {
		return e, fmt.Errorf("shape %v of %v takes %d bytes, data_offsets give it %d", e.shape, e.dtype, want, e.end-e.begin)
	}
	return e, nil
}

// eachKey reads one JSON object and calls value with the decoder standing
// before each key's value. It refuses a key that occurs twice.
func eachKey(dec *json.Decoder, value func(key string) error) error {
	tok, err := dec.Token()
	if err != nil {
		return jsonError(err)
	}
	if tok != json.Delim('{') {
		return errors.New("an object in braces was expected")
	}
	seen := make(map[string]bool)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return jsonError(err)
		}
		key := tok.(string) // the decoder accepts nothing else as a key
		if seen[key] {
			return fmt.Errorf("the name %s occurs twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return jsonError(err)
}

// decodeValue reads one JSON value of type T; null is refused.
func decodeValue[T any](dec *json.Decoder) (T, error) {
	var p *T
	err := dec.Decode(&p)
	if err == nil && p == nil {
		err = errors.New("it is null")
	}
	if err != nil {
		var zero T
		return zero, jsonError(err)
	}
	return *p, nil
}

// decodeInts reads an array of integers.
func decodeInts(dec *json.Decoder) ([]int64, error) {
	list, err := decodeValue[[]*int64](dec)
	ints := make([]int64, len(list))
	for i, p := range list {
		if p == nil {
			return nil, fmt.Errorf("element %d is null", i)
		}
		ints[i] = *p
	}
	return ints, err
}

func jsonError(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return errors.New("its JSON ends in the middle")
	case errors.As(err, &wrong):
		return fmt.Errorf("a JSON %s stands where %v was expected", wrong.Value, wrong.Type)
	}
	return err
}

// checkPlaces makes sure that the tensors tile the buffer of size bytes.
func checkPlaces(entries []entry, size int64) error {
	order := make([]*entry, len(entries))
	for i := range entries {
		order[i] = &entries[i]
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := order[i], order[j]
		return a.begin < b.begin || a.begin == b.begin && a.end < b.end
	})
	at, before := int64(0), ""
	for _, e := range order {
		switch {
		case e.begin < at:
			return fmt.Errorf("tensor %s overlaps tensor %s: it begins at byte %d of the data, the other ends at %d", e.name, before, e.begin, at)
		case e.begin > at:
			return fmt.Errorf("tensor %s begins at byte %d of the data, and the %d bytes before it belong to no tensor", e.name, e.begin, e.begin-at)
		case e.end > size:
			return fmt.Errorf("the file is truncated: tensor %s ends at byte %d of the data, of which the file holds %d", e.name, e.end, size)
		}
		at, before = e.end, e.name
	}
	if at < size {
		return fmt.Errorf("%d bytes after the last tensor belong to no tensor", size-at)
	}
	return nil
}

func knownDTypes() string {
	s := ""
	for d := range numDTypes {
		if d > 0 {
			s += ", "
		}
		s += d.String()
	}
	return s
}
