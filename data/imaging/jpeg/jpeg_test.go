package jpeg_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/data/imaging/jpeg"
)

// files are the JPEGs that imaging's tests compare with Pillow's pixels.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/images/*.jpg")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pictures to test with: %v", err)
	}
	contents := map[string][]byte{}
	for _, path := range paths {
		if contents[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}

// The standard library is an independent decoder: where nothing is subsampled,
// it may differ by rounding only.
func TestCloseToTheStandardLibrary(t *testing.T) {
	all := files(t)
	for _, name := range []string{"444.jpg", "444_progressive.jpg", "gray.jpg", "gray_progressive.jpg"} {
		var d jpeg.Decoder
		if err := d.Decode(all[name]); err != nil {
			t.Fatal(err)
		}
		want, err := stdjpeg.Decode(bytes.NewReader(all[name]))
		if err != nil {
			t.Fatal(err)
		}
		n := 3
		if d.Gray() {
			n = 1
		}
		row := make([]byte, n*d.Width)
		for y := range d.Height {
			d.Row(row, y)
			for x := range d.Width {
				r, g, b, _ := want.At(x, y).RGBA()
				for c, w := range []uint32{r, g, b}[:n] {
					if diff := int(row[n*x+c]) - int(w>>8); diff < -3 || diff > 3 {
						t.Fatalf("%s at (%d, %d), channel %d: %d, and the standard library has %d", name, x, y, c, row[n*x+c], w>>8)
					}
				}
			}
		}
	}
}

// Every file cut at every length is refused or, without its end marker, whole;
// and the decoder works on after it.
func TestEveryTruncation(t *testing.T) {
	var d jpeg.Decoder
	for name, contents := range files(t) {
		for n := range contents {
			if err := d.Decode(contents[:n]); err == nil && n < len(contents)-2 {
				// The last bits of the last byte may be padding alone.
				t.Errorf("%s: %d of %d bytes were taken for the picture", name, n, len(contents))
			}
		}
		if err := d.Decode(contents); err != nil {
			t.Errorf("%s after damaged files: %v", name, err)
		}
	}
}

// Damaged bytes must end in an error or in wrong pixels, never in a panic.
func TestDamagedBytes(t *testing.T) {
	var d jpeg.Decoder
	row := make([]byte, 3*65536)
	for _, contents := range files(t) {
		damaged := bytes.Clone(contents)
		for i, was := range contents {
			damaged[i] = [...]byte{0, 0xff, ^was}[i%3]
			if err := d.Decode(damaged); err == nil {
				d.Row(row, d.Height-1)
			}
			damaged[i] = was
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, contents := range files(f) {
		f.Add(contents)
	}
	row := make([]byte, 3*65536)
	f.Fuzz(func(t *testing.T, contents []byte) {
		var d jpeg.Decoder
		if d.Header(contents) != nil || d.Width*d.Height > 1<<20 || d.Decode(contents) != nil {
			return
		}
		for y := range d.Height {
			d.Row(row, y)
		}
	})
}

func Example() {
	red := image.NewRGBA(image.Rect(0, 0, 9, 5))
	for y := range 5 {
		for x := range 9 {
			red.Set(x, y, color.RGBA{254, 0, 0, 255})
		}
	}
	var file bytes.Buffer
	if err := stdjpeg.Encode(&file, red, nil); err != nil {
		fmt.Println(err)
		return
	}
	var d jpeg.Decoder
	if err := d.Decode(file.Bytes()); err != nil {
		fmt.Println(err)
		return
	}
	row := make([]byte, 3*d.Width)
	d.Row(row, 4)
	fmt.Println(d.Width, d.Height, row[:3])
	// Output: 9 5 [254 0 0]
}
