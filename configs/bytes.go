package configs

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is an amount of memory. In files it is a number with its unit, such as
// 2GiB or 1.5GB, or 0.
type Bytes int64

// units of Bytes, the preferred ones first.
var units = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

// bytesPattern is what ParseBytes reads, for editors.
const bytesPattern = `^\s*(0|[0-9]+(\.[0-9]+)?\s*([GMKgmk][Ii]?)?[Bb])\s*$`

// bytesWanted says what ParseBytes reads, to end a sentence with.
const bytesWanted = "a size with its unit (KiB, MiB, GiB, kB, MB, GB), such as 2GiB, or 0"

// ParseBytes reads an amount of memory such as 2GiB; fractions are rounded down
// to whole bytes.
func ParseBytes(text string) (Bytes, error) {
	t := strings.TrimSpace(text)
	if t == "0" {
		return 0, nil
	}
	at := strings.IndexFunc(t, func(c rune) bool { return (c < '0' || c > '9') && c != '.' })
	if at > 0 {
		x, err := strconv.ParseFloat(t[:at], 64)
		for _, u := range units {
			if err != nil || !strings.EqualFold(strings.TrimSpace(t[at:]), u.name) {
				continue
			}
			if x *= float64(u.size); x < math.MaxInt64 {
				return Bytes(x), nil
			}
		}
	}
	return 0, fmt.Errorf("%q should be %s", text, bytesWanted)
}

// String is the amount in the largest unit of which it is a whole number.
func (b Bytes) String() string {
	for _, u := range units {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return "0"
}

// MarshalJSON writes what String gives.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return fmt.Errorf("should be %s: %w", bytesWanted, err)
	}
	n, err := ParseBytes(word)
	*b = n
	return err
}
