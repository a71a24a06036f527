package imaging_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/internal/golden"
)

const testdata = "../testdata"

// largest returns the largest difference of two pictures and how many values differ.
func largest(t testing.TB, got *imaging.Image, want []byte) (most, differing int) {
	t.Helper()
	if len(got.Pix) != len(want) {
		t.Fatalf("%d bytes of pixels, want %d", len(got.Pix), len(want))
	}
	for i, v := range got.Pix {
		d := int(v) - int(want[i])
		most = max(most, d, -d)
		if d != 0 {
			differing++
		}
	}
	return most, differing
}

func decode(t testing.TB, contents []byte, channels int) *imaging.Image {
	t.Helper()
	im := new(imaging.Image)
	if err := imaging.Decode(im, contents, channels); err != nil {
		t.Fatal(err)
	}
	return im
}

func TestResizeEqualsPillow(t *testing.T) {
	var r imaging.Resizer // one for all: tables of other sizes must not shine through
	var got imaging.Image
	for _, c := range golden.Read(t, testdata, "resize") {
		src := decode(t, golden.Picture(t, testdata, c.File), 0)
		filter, err := imaging.ParseFilter(c.Filter)
		if err != nil {
			t.Fatal(err)
		}
		box := imaging.Rect{X0: c.Box[0], Y0: c.Box[1], X1: c.Box[2], Y1: c.Box[3]}
		name := fmt.Sprintf("%s %v to %dx%d %s", c.File, c.Box, c.Width, c.Height, c.Filter)
		r.Resize(&got, src, box, c.Width, c.Height, filter)
		if most, differing := largest(t, &got, c.Want); most != 0 {
			t.Errorf("%s: %d values differ, by up to %d", name, differing, most)
		}
		// A window is the same pixels.
		whole := slices.Clone(got.Pix)
		win := imaging.Window{X: c.Width / 3, Y: c.Height / 4, Width: (c.Width + 1) / 2, Height: (c.Height + 1) / 2}
		r.ResizeWindow(&got, src, box, c.Width, c.Height, filter, win)
		for y := range win.Height {
			from := ((win.Y+y)*c.Width + win.X) * src.Channels
			if !slices.Equal(got.Row(y), whole[from:from+win.Width*src.Channels]) {
				t.Errorf("%s: row %d of the window %v differs from the whole", name, y, win)
				break
			}
		}
	}
}

func TestResizeOfCropSeesNothingAroundIt(t *testing.T) {
	src := decode(t, golden.Picture(t, testdata, "resize_rgb.png"), 3)
	view := src.Crop(5, 4, 20, 18)
	var alone imaging.Image
	alone.CopyFrom(&view)
	var r imaging.Resizer
	var a, b imaging.Image
	for f := imaging.Nearest; f <= imaging.Lanczos; f++ {
		r.Resize(&a, &view, view.Bounds(), 9, 30, f)
		r.Resize(&b, &alone, alone.Bounds(), 9, 30, f)
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Errorf("%v: a view and a copy of it give different pixels", f)
		}
	}
}

func TestDecodeEqualsPillow(t *testing.T) {
	var got imaging.Image
	for _, c := range golden.Read(t, testdata, "decode") {
		contents := golden.Picture(t, testdata, c.File)
		if err := imaging.Decode(&got, contents, c.Channels); err != nil {
			t.Errorf("%s: %v", c.File, err)
			continue
		}
		if got.Width != c.Width || got.Height != c.Height || got.Channels != c.Channels {
			t.Errorf("%s: %dx%dx%d, want %dx%dx%d", c.File, got.Width, got.Height, got.Channels, c.Width, c.Height, c.Channels)
			continue
		}
		if most, differing := largest(t, &got, c.Want); most != 0 {
			t.Errorf("%s, %d channels: %d values differ, by up to %d", c.File, c.Channels, differing, most)
		}
		info, err := imaging.DecodeInfo(contents)
		if err != nil || info.Width != c.Width || info.Height != c.Height {
			t.Errorf("%s: header says %+v, %v; want %dx%d", c.File, info, err, c.Width, c.Height)
		}
		gray := strings.Contains(c.File, "gray") && !strings.Contains(c.File, "alpha") || strings.HasPrefix(c.File, "bits")
		if (info.Channels == 1) != gray {
			t.Errorf("%s: %d channels", c.File, info.Channels)
		}
	}
}

// Real photographs against Pillow on this machine, where both are there.
func TestPhotographsEqualPillow(t *testing.T) {
	root := os.Getenv("TRAINER_DATA")
	if root == "" {
		t.Skip("TRAINER_DATA names no folder with photographs")
	}
	files, err := filepath.Glob(filepath.Join(root, "hymenoptera", "val", "*", "*.jpg"))
	if err != nil || len(files) == 0 {
		t.Skip("there are no photographs in " + root + "/hymenoptera")
	}
	files = files[:min(len(files), 40)]
	// Pillow decodes and resizes to 64x64.
	const script = `
import json, sys
from PIL import Image
for f in json.load(sys.stdin):
    im = Image.open(f).convert("RGB")
    sys.stdout.buffer.write(im.tobytes() + im.resize((64, 64), Image.BICUBIC).tobytes())`
	python := exec.Command("/usr/bin/python3", "-c", script)
	list, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	python.Stdin = bytes.NewReader(list)
	want, err := python.Output()
	if err != nil {
		t.Skip("no Pillow to compare with: " + err.Error())
	}
	var r imaging.Resizer
	var resized imaging.Image
	for _, file := range files {
		contents, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		im := decode(t, contents, 3)
		r.Resize(&resized, im, im.Bounds(), 64, 64, imaging.Bicubic)
		for _, got := range []*imaging.Image{im, &resized} {
			if most, differing := largest(t, got, want[:len(got.Pix)]); most != 0 {
				t.Errorf("%s: %d values differ, by up to %d", file, differing, most)
			}
			want = want[len(got.Pix):]
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	jpeg, png := golden.Picture(t, testdata, "420.jpg"), golden.Picture(t, testdata, "rgb.png")
	progressive := golden.Picture(t, testdata, "420_progressive.jpg")
	huge := slices.Clone(jpeg)
	at := bytes.Index(huge, []byte{0xff, 0xc0})
	copy(huge[at+5:], "\xff\xff\xff\xff")
	large := slices.Clone(jpeg)
	copy(large[at+5:], "\x20\x00\x20\x00")
	arithmetic := slices.Clone(jpeg)
	arithmetic[at+1] = 0xc9
	for _, c := range []struct {
		name     string
		contents []byte
		want     string
	}{
		{"nothing", nil, "the file is empty"},
		{"text", []byte("hello, world"), "not a picture that can be read"},
		{"half a JPEG", jpeg[:len(jpeg)/2], "the file ends"},
		{"a JPEG without its last bytes", jpeg[:len(jpeg)-12], "the file ends"},
		{"half a progressive JPEG", progressive[:len(progressive)/2], "the file ends"},
		{"a JPEG's header", jpeg[:30], "the file ends"},
		{"half a PNG", png[:len(png)/2], "damaged or truncated PNG"},
		{"4 gigapixels", huge, "65535x65535"},
		{"64 megapixels in a kilobyte", large, "the file ends"},
		{"arithmetic codes", arithmetic, "arithmetic codes"},
	} {
		if err := imaging.Decode(new(imaging.Image), c.contents, 3); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestMissingEndMarkerIsForgiven(t *testing.T) {
	jpeg := golden.Picture(t, testdata, "420.jpg")
	whole, short := decode(t, jpeg, 3), decode(t, jpeg[:len(jpeg)-2], 3)
	if !bytes.Equal(whole.Pix, short.Pix) {
		t.Error("other pixels without the end marker")
	}
}

func TestDecodeReusesItsBuffer(t *testing.T) {
	var im imaging.Image
	contents := golden.Picture(t, testdata, "420.jpg")
	if a := testing.AllocsPerRun(50, func() {
		if err := imaging.Decode(&im, contents, 3); err != nil {
			t.Fatal(err)
		}
	}); a >= 1 {
		t.Errorf("%v allocations for a JPEG, want 0", a)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(testdata, "images", "*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no pictures to begin with")
	}
	for _, file := range files {
		contents, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(contents)
	}
	f.Fuzz(func(t *testing.T, contents []byte) {
		info, err := imaging.DecodeInfo(contents)
		if err != nil || info.Width*info.Height > 1<<20 {
			return
		}
		var im imaging.Image
		if err := imaging.Decode(&im, contents, 3); err == nil && (im.Width != info.Width || im.Height != info.Height) {
			t.Errorf("%dx%d pixels, and the header says %dx%d", im.Width, im.Height, info.Width, info.Height)
		}
	})
}

func Example() {
	contents, err := os.ReadFile("../testdata/images/420.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	var im, small imaging.Image
	if err := imaging.Decode(&im, contents, 3); err != nil {
		fmt.Println(err)
		return
	}
	var r imaging.Resizer
	r.Resize(&small, &im, im.Bounds(), 9, 7, imaging.Bicubic)
	fmt.Printf("%dx%d to %dx%d\n", im.Width, im.Height, small.Width, small.Height)
	// Output: 45x35 to 9x7
}
