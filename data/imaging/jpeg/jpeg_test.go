package jpeg_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/data/imaging/jpeg"
	"github.com/seed52467199/trainer/data/internal/golden"
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

// whole is more than any picture of the tests.
const whole = 1 << 16

// pixels are all rows of what was decoded.
func pixels(d *jpeg.Decoder) []byte {
	n := d.Part().Width
	if !d.Gray() {
		n *= 3
	}
	out := make([]byte, n*d.Part().Height)
	for y := range d.Part().Height {
		d.Row(out[y*n:(y+1)*n], y)
	}
	return out
}

func TestShrunkEqualsPillow(t *testing.T) {
	all := files(t)
	var d jpeg.Decoder
	for _, kind := range []string{"shrunk", "luma"} {
		for _, c := range golden.Read(t, "testdata", kind) {
			p := jpeg.Part{Shrink: c.Size, Width: whole, Height: whole, Gray: kind == "luma"}
			if err := d.DecodePart(all[c.File], p); err != nil {
				t.Errorf("%s at 1/%d: %v", c.File, c.Size, err)
				continue
			}
			if got := d.Part(); got.Width != c.Width || got.Height != c.Height {
				t.Errorf("%s at 1/%d: %dx%d, want %dx%d", c.File, c.Size, got.Width, got.Height, c.Width, c.Height)
				continue
			}
			got := pixels(&d)
			if d.Gray() && kind == "shrunk" { // as RGB
				var rgb []byte
				for _, v := range got {
					rgb = append(rgb, v, v, v)
				}
				got = rgb
			}
			if !bytes.Equal(got, c.Want) {
				differing := 0
				for i := range c.Want {
					if got[i] != c.Want[i] {
						differing++
					}
				}
				t.Errorf("%s at 1/%d, %s: %d of %d values differ", c.File, c.Size, kind, differing, len(c.Want))
			}
		}
	}
}

// A part has the pixels that the whole has there, at every size.
func TestPartIsThatOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d jpeg.Decoder
	for name, contents := range files(t) {
		for _, shrink := range []int{1, 2, 4, 8} {
			for _, gray := range []bool{false, true} {
				p := jpeg.Part{Shrink: shrink, Width: whole, Height: whole, Gray: gray}
				if err := d.DecodePart(contents, p); err != nil {
					t.Fatal(err)
				}
				all, want := d.Part(), pixels(&d)
				for range 60 {
					p.X, p.Y = r.IntN(all.Width), r.IntN(all.Height)
					p.Width, p.Height = 1+r.IntN(all.Width-p.X), 1+r.IntN(all.Height-p.Y)
					if err := d.DecodePart(contents, p); err != nil {
						t.Fatalf("%s, %+v: %v", name, p, err)
					}
					got, n := pixels(&d), 3
					if d.Gray() {
						n = 1
					}
					for y := range p.Height {
						at := ((p.Y+y)*all.Width + p.X) * n
						if !bytes.Equal(got[y*p.Width*n:(y+1)*p.Width*n], want[at:at+p.Width*n]) {
							t.Fatalf("%s, %+v: row %d differs from the whole", name, p, y)
						}
					}
				}
			}
		}
	}
}

// What lies below the part is not decoded, but a file without its end is refused
// whatever the part.
func TestPartOfTruncated(t *testing.T) {
	var d jpeg.Decoder
	for name, contents := range files(t) {
		p := jpeg.Part{Shrink: 1, Width: whole, Height: 1}
		for n := len(contents) - 3; n > 0; n -= 7 {
			if err := d.DecodePart(contents[:n], p); err == nil {
				t.Errorf("%s: the first row of %d of %d bytes was taken for the picture's", name, n, len(contents))
			}
		}
	}
}

func TestBadPart(t *testing.T) {
	var d jpeg.Decoder
	contents := files(t)["420.jpg"] // 45x35
	for _, p := range []jpeg.Part{
		{Shrink: 3, Width: 1, Height: 1}, {Width: 1, Height: 1}, {Shrink: 1, Width: 1}, {Shrink: 1, X: -1, Width: 2, Height: 1},
		{Shrink: 1, X: 45, Width: 1, Height: 1}, {Shrink: 8, Y: 5, Width: 1, Height: 1},
	} {
		if err := d.DecodePart(contents, p); err == nil {
			t.Errorf("%+v was taken", p)
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
			p := jpeg.Part{Shrink: 1 << (i % 4), X: i % 3, Y: i % 5, Width: 1 + i%7, Height: 1 + i%11, Gray: i%2 == 0}
			if err := d.DecodePart(damaged, p); err == nil {
				d.Row(row, d.Part().Height-1)
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
		p := jpeg.Part{Shrink: 1 << (len(contents) % 4), X: 1, Y: 1, Width: 9, Height: 9, Gray: len(contents)%3 == 0}
		if d.DecodePart(contents, p) == nil {
			d.Row(row, 0)
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
