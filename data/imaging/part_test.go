package imaging_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/pixel"
	"github.com/seed52467199/trainer/data/internal/golden"
)

// pictures are the files of the goldens by name.
func pictures(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, "images", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	all := map[string][]byte{}
	for _, p := range paths {
		all[filepath.Base(p)] = golden.Picture(t, testdata, filepath.Base(p))
	}
	return all
}

// Where nothing is shrunk, a part is a crop of the whole: of every format, and
// upright whatever the orientation.
func TestPartEqualsCrop(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d imaging.Decoder
	for name, contents := range pictures(t) {
		whole := decode(t, contents, 3)
		for range 20 {
			x, y := r.IntN(whole.Width), r.IntN(whole.Height)
			w, h := 1+r.IntN(whole.Width-x), 1+r.IntN(whole.Height-y)
			info, err := d.Open(contents)
			if err != nil || info.Width != whole.Width || info.Height != whole.Height {
				t.Fatalf("%s: %+v, %v", name, info, err)
			}
			part, box, err := d.DecodePart(x, y, w, h, 3, max(w, h))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if part.Width != w || part.Height != h || box != part.Bounds() {
				t.Fatalf("%s: %dx%d at (%d, %d) gave %dx%d and the box %v", name, w, h, x, y, part.Width, part.Height, box)
			}
			want := whole.Crop(x, y, w, h)
			for y := range h {
				if !slices.Equal(part.Row(y), want.Row(y)) {
					t.Fatalf("%s: row %d of the part differs from the crop's", name, y)
				}
			}
		}
	}
}

// A shrunk part shows the same as the whole: resized, the two are close, and
// would not be if the box were moved or turned.
func TestShrunkPartShowsTheSame(t *testing.T) {
	_, file := photograph(t)
	files := map[string][]byte{"photograph": file}
	for name, contents := range pictures(t) {
		if strings.HasPrefix(name, "orientation_") && strings.HasSuffix(name, ".jpg") {
			files[name] = contents
		}
	}
	var d imaging.Decoder
	var r imaging.Resizer
	var a, b imaging.Image
	for name, contents := range files {
		whole := decode(t, contents, 3)
		for _, n := range []int{2, 4, 8} {
			// Not aligned with anything.
			x, y := whole.Width/7, whole.Height/5
			w, h := whole.Width-x-1, whole.Height-y-2
			least := min(w, h) / n
			if least < 2 {
				continue
			}
			if _, err := d.Open(contents); err != nil {
				t.Fatal(err)
			}
			part, box, err := d.DecodePart(x, y, w, h, 3, least)
			if err != nil {
				t.Fatal(err)
			}
			if part.Width > w/n+3 || box.X1-box.X0 != float32(w)/float32(n) || box.Y1-box.Y0 != float32(h)/float32(n) {
				t.Errorf("%s at 1/%d: %dx%d became %dx%d and the box %v", name, n, w, h, part.Width, part.Height, box)
			}
			r.Resize(&a, &part, box, least, least, imaging.Bilinear)
			crop := whole.Crop(x, y, w, h)
			r.Resize(&b, &crop, crop.Bounds(), least, least, imaging.Bilinear)
			// The picture itself, and what it would be if it lay the other way round.
			var off, turned float64
			for i := range a.Pix {
				off += math.Abs(float64(a.Pix[i]) - float64(b.Pix[i]))
				turned += math.Abs(float64(a.Pix[i]) - float64(b.Pix[len(b.Pix)-3-i/3*3+i%3]))
			}
			off, turned = off/float64(len(a.Pix)), turned/float64(len(a.Pix))
			if off > 8 || off > turned/2 {
				t.Errorf("%s at 1/%d: values differ by %.1f on average, turned by %.1f", name, n, off, turned)
			}
		}
	}
}

func TestPartNeedsOpen(t *testing.T) {
	var d imaging.Decoder
	if _, _, err := d.DecodePart(0, 0, 1, 1, 3, 1); err == nil {
		t.Error("a part of nothing was decoded")
	}
	if _, err := d.Open([]byte("no picture")); err == nil {
		t.Error("what is no picture was opened")
	}
	if err := d.Decode(new(imaging.Image), 3); err == nil {
		t.Error("what is no picture was decoded")
	}
}

// ResizeFloats is Resize, a flip and the table, bit for bit.
func TestResizeFloats(t *testing.T) {
	var r imaging.Resizer
	var small imaging.Image
	var norm pixel.Norm
	norm.Set([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
	for _, file := range []string{"resize_rgb.png", "resize_gray.png"} {
		src := decode(t, golden.Picture(t, testdata, file), 0)
		for _, size := range [][2]int{{3, 5}, {16, 16}, {40, 33}, {src.Width, src.Height}} {
			w, h := size[0], size[1]
			box := imaging.Rect{X0: 1.5, Y0: 2, X1: float32(src.Width) - 0.25, Y1: float32(src.Height)}
			for filter := imaging.Box; filter <= imaging.Lanczos; filter++ {
				r.Resize(&small, src, box, w, h, filter)
				for flips := range 4 {
					mirrored, upended := flips&1 != 0, flips&2 != 0
					got := make([]float32, w*h*src.Channels)
					if src.Channels == 1 {
						norm.Set([3]float32{0.4, 0.4, 0.4}, [3]float32{0.3, 0.3, 0.3})
					}
					r.ResizeFloats(got, src, box, w, h, filter, mirrored, upended, &norm)
					for y := range h {
						for x := range w {
							fx, fy := x, y
							if mirrored {
								fx = w - 1 - x
							}
							if upended {
								fy = h - 1 - y
							}
							for c := range src.Channels {
								want := norm.Value(c, small.Row(fy)[fx*src.Channels+c])
								if g := got[(y*w+x)*src.Channels+c]; g != want {
									t.Fatalf("%s to %v, %v, flips %d, at (%d, %d): %v, want %v", file, size, filter, flips, x, y, g, want)
								}
							}
						}
					}
				}
			}
		}
	}
}

// Nothing is allocated for a picture once the buffers have grown.
func TestDecodingAllocatesNothing(t *testing.T) {
	_, file := photograph(t)
	var d imaging.Decoder
	var r imaging.Resizer
	var whole imaging.Image
	var norm pixel.Norm
	norm.Set([3]float32{0.5, 0.5, 0.5}, [3]float32{0.25, 0.25, 0.25})
	out := make([]float32, 64*64*3)
	work := func() {
		if _, err := d.Open(file); err != nil {
			t.Fatal(err)
		}
		part, box, err := d.DecodePart(20, 30, 300, 200, 3, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.ResizeFloats(out, &part, box, 64, 64, imaging.Bicubic, true, false, &norm)
		if err := d.Decode(&whole, 3); err != nil {
			t.Fatal(err)
		}
	}
	work()
	if n := testing.AllocsPerRun(10, work); n != 0 {
		t.Errorf("%v allocations a picture", n)
	}
}
