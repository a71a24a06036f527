package golden

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// Case is one expected result.
type Case struct {
	Kind     string
	File     string
	Width    int
	Height   int
	Channels int
	// Filter and Box belong to resize, Size and CropPct to eval.
	Filter  string
	Box     [4]float32
	Size    int
	CropPct float64 `json:"crop_pct"`
	// Op and Args, and Filter, belong to adjust.
	Op   string
	Args []float64
	// Want is the expected bytes.
	Want []byte `json:"-"`

	At, N int
}

// Floats is Want as float32.
func (c *Case) Floats() []float32 {
	v := make([]float32, len(c.Want)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(c.Want[4*i:]))
	}
	return v
}

// Read returns the cases of a kind. dir is data/testdata or a folder made like it.
func Read(t testing.TB, dir, kind string) []Case {
	t.Helper()
	fatal := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	index, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	fatal(err)
	packed, err := os.ReadFile(filepath.Join(dir, "golden.bin.gz"))
	fatal(err)
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	fatal(err)
	blob, err := io.ReadAll(unzipped)
	fatal(err)
	var all, some []Case
	fatal(json.Unmarshal(index, &all))
	for _, c := range all {
		if c.Kind == kind {
			c.Want = blob[c.At : c.At+c.N]
			some = append(some, c)
		}
	}
	if len(some) == 0 {
		t.Fatalf("no golden cases of kind %s", kind)
	}
	return some
}

// Picture returns the contents of a picture of the cases.
func Picture(t testing.TB, dir, file string) []byte {
	t.Helper()
	contents, err := os.ReadFile(filepath.Join(dir, "images", file))
	if err != nil {
		t.Fatal(err)
	}
	return contents
}
