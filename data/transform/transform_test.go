package transform_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/internal/golden"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

const testdata = "../testdata"

// counting is a picture whose every value is its place.
func counting(width, height, channels int) *imaging.Image {
	im := imaging.New(width, height, channels)
	for i := range im.Pix {
		im.Pix[i] = uint8(i)
	}
	return im
}

// plain normalises with mean 0 and std 1/255, so that values stay as they are.
func plain(size, channels int) transform.Output {
	return transform.Output{Size: size, Channels: channels, Mean: []float64{0}, Std: []float64{1. / 255}}
}

func TestEvalEqualsTorchvision(t *testing.T) {
	for _, c := range golden.Read(t, testdata, "eval") {
		var im imaging.Image
		if err := imaging.Decode(&im, golden.Picture(t, testdata, c.File), c.Channels); err != nil {
			t.Fatal(err)
		}
		o := transform.Output{Size: c.Size, Channels: c.Channels, Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
		if c.Channels == 1 {
			o.Mean, o.Std = []float64{0.449}, []float64{0.226}
		}
		p, err := transform.NewEval(transform.Eval{Output: o, CropPct: c.CropPct, Interpolation: c.Filter})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, c.Size*c.Size*c.Channels)
		if err := p.Apply(got, &im, new(transform.Workspace), nil); err != nil {
			t.Fatal(err)
		}
		var most float64
		for i, want := range c.Floats() {
			most = max(most, math.Abs(float64(got[i]-want)))
		}
		if most != 0 {
			t.Errorf("%s, crop_pct %v, %s, %d channels: values differ by up to %g", c.File, c.CropPct, c.Filter, c.Channels, most)
		}
	}
}

// The five crops are the picture's middle and corners.
func TestPlaces(t *testing.T) {
	const size, width, height = 8, 13, 10
	src := counting(width, height, 1)
	for _, c := range []struct {
		place transform.Place
		x, y  int
	}{
		{transform.Middle, 2, 1}, {transform.TopLeft, 0, 0}, {transform.TopRight, 5, 0}, {transform.BottomLeft, 0, 2}, {transform.BottomRight, 5, 2},
	} {
		// the short side stays 10 pixels, so that nothing is resized
		p, err := transform.NewEval(transform.Eval{Output: transform.Output{Size: size, Channels: 1, Mean: []float64{0}, Std: []float64{1. / 255}}, CropPct: 0.8, Place: c.place})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, size*size)
		if err := p.Apply(got, src, new(transform.Workspace), nil); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if want := src.Row(c.y + i/size)[c.x+i%size]; math.Abs(float64(v)-float64(want)) > 1e-3 {
				t.Fatalf("place %d: pixel %d is %v, want %d", c.place, i, v, want)
			}
		}
	}
}

func TestRandomResizedCropStaysInBounds(t *testing.T) {
	var w transform.Workspace
	c := transform.RandomResizedCrop{Size: 8, Scale: [2]float64{0.08, 1}, Ratio: [2]float64{3. / 4, 4. / 3}, Filters: []imaging.Filter{imaging.Box}}
	for _, size := range [][2]int{{100, 80}, {1, 1}, {2, 300}, {300, 2}, {9, 7}} {
		src := counting(size[0], size[1], 3)
		for i := range uint64(200) {
			w.Start(src)
			c.Apply(&w, rng.New(1, "crop", i))
			if im := w.Current(); im.Width != 8 || im.Height != 8 {
				t.Fatalf("%v became %dx%d", size, im.Width, im.Height)
			}
		}
	}
}

// A horizontal ramp tells where a crop was and how wide: its mean and its range.
func TestRandomResizedCropDistribution(t *testing.T) {
	const side, n = 200, 4000
	ramp := imaging.New(side, side, 1)
	for y := range side {
		for x := range side {
			ramp.Row(y)[x] = uint8(x)
		}
	}
	p, err := transform.NewTrain(transform.Train{Output: plain(4, 1), Crop: "rrc", Scale: [2]float64{0.25, 0.25}, Ratio: [2]float64{1, 1}, Interpolation: "box"})
	if err != nil {
		t.Fatal(err)
	}
	var w transform.Workspace
	var out [16]float32
	var sum, squares float64
	for i := range uint64(n) {
		if err := p.Apply(out[:], ramp, &w, rng.New(2, "crop", i)); err != nil {
			t.Fatal(err)
		}
		// A quarter of the area is 100 pixels wide; a box of 25 to an output pixel.
		if d := out[3] - out[0]; math.Abs(float64(d)-75) > 1.1 {
			t.Fatalf("crop %d spans %v, want 75", i, d)
		}
		left := float64(out[0]) - 12
		sum += left
		squares += left * left
	}
	// The left edge is uniform over 0..100.
	mean := sum / n
	if variance := squares/n - mean*mean; math.Abs(mean-50) > 3 || math.Abs(variance/850-1) > 0.1 {
		t.Errorf("left edges have mean %.1f and variance %.0f, want 50 and 850", mean, variance)
	}
}

// From a file, a pipeline makes what it makes of the decoded picture: the same
// draws and, where the crop is not large enough to be shrunk, the same bits.
func TestEncodedEqualsDecoded(t *testing.T) {
	var one, other transform.Workspace
	for _, file := range []string{"420.jpg", "422_progressive.jpg", "gray.jpg", "cmyk.jpg", "orientation_6.jpg", "alpha.png", "wide.png"} {
		contents := golden.Picture(t, testdata, file)
		var im imaging.Image
		if err := imaging.Decode(&im, contents, 3); err != nil {
			t.Fatal(err)
		}
		for _, train := range []transform.Train{
			{Crop: "rrc", HFlip: 0.5, VFlip: 0.5},
			{Crop: "rrc", HFlip: 0.5, Interpolation: "nearest"},
			{Crop: "rrc", HFlip: 0.5, Ops: []transform.Op{invert{}}},
			{Crop: "pad4", HFlip: 0.5},
			{},
		} {
			train.Output = transform.Output{Size: 32, Channels: 3, Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
			p, err := transform.NewTrain(train)
			if err != nil {
				t.Fatal(err)
			}
			got, want := make([]float32, 32*32*3), make([]float32, 32*32*3)
			for i := range uint64(20) {
				if err := p.ApplyEncoded(got, contents, &one, rng.New(1, "x", i)); err != nil {
					t.Fatal(err)
				}
				if err := p.Apply(want, &im, &other, rng.New(1, "x", i)); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s, %+v, draw %d: the file gives something else than the picture", file, train, i)
				}
			}
		}
	}
}

// One channel is the luma of the file, which is close to that of its colours.
func TestGrayOfColourFile(t *testing.T) {
	contents := golden.Picture(t, testdata, "444.jpg")
	p, err := transform.NewTrain(transform.Train{Output: plain(24, 1), Crop: "rrc"})
	if err != nil {
		t.Fatal(err)
	}
	var im imaging.Image
	if err := imaging.Decode(&im, contents, 1); err != nil {
		t.Fatal(err)
	}
	var w transform.Workspace
	got, want := make([]float32, 24*24), make([]float32, 24*24)
	for i := range uint64(20) {
		if err := p.ApplyEncoded(got, contents, &w, rng.New(1, "x", i)); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(want, &im, &w, rng.New(1, "x", i)); err != nil {
			t.Fatal(err)
		}
		var sum float64
		for k := range got {
			sum += math.Abs(float64(got[k] - want[k]))
		}
		if mean := sum / float64(len(got)); mean > 4 {
			t.Errorf("draw %d: luma is off by %.1f of 255 on average", i, mean)
		}
	}
}

func TestPadCrop(t *testing.T) {
	src := counting(5, 4, 1)
	for _, reflect := range []bool{false, true} {
		seen := map[string]bool{}
		for i := range uint64(300) {
			var w transform.Workspace
			w.Start(src)
			transform.PadCrop{Padding: 2, Reflect: reflect}.Apply(&w, rng.New(3, "pad", i))
			seen[fmt.Sprint(w.Current().Pix)] = true
		}
		want := map[string]bool{}
		for dy := -2; dy <= 2; dy++ {
			for dx := -2; dx <= 2; dx++ {
				var pix []uint8
				for y := range 4 {
					for x := range 5 {
						sx, sy := x+dx, y+dy
						inside := sx >= 0 && sx < 5 && sy >= 0 && sy < 4
						if reflect {
							sx, sy = fold(sx, 5), fold(sy, 4)
						} else if !inside {
							pix = append(pix, 0)
							continue
						}
						pix = append(pix, src.Row(sy)[sx])
					}
				}
				want[fmt.Sprint(pix)] = true
			}
		}
		for s := range seen {
			if !want[s] {
				t.Fatalf("reflect %v: unexpected crop %s", reflect, s)
			}
		}
		if len(seen) != 25 {
			t.Errorf("reflect %v: %d of 25 crops seen", reflect, len(seen))
		}
	}
}

func fold(i, n int) int {
	if i < 0 {
		return -i
	}
	if i >= n {
		return 2*(n-1) - i
	}
	return i
}

func TestPadCropOfTinyPictures(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 7}, {2, 2}} {
		for i := range uint64(100) {
			for _, reflect := range []bool{false, true} {
				var w transform.Workspace
				w.Start(counting(size[0], size[1], 3))
				transform.PadCrop{Padding: 9, Reflect: reflect}.Apply(&w, rng.New(4, "pad", i))
			}
		}
	}
}

func TestFlips(t *testing.T) {
	for _, channels := range []int{1, 3} {
		src := counting(4, 4, channels)
		for _, c := range []struct {
			h, v float64
			at   func(x, y int) (int, int)
		}{
			{0, 0, func(x, y int) (int, int) { return x, y }},
			{1, 0, func(x, y int) (int, int) { return 3 - x, y }},
			{0, 1, func(x, y int) (int, int) { return x, 3 - y }},
			{1, 1, func(x, y int) (int, int) { return 3 - x, 3 - y }},
		} {
			p, err := transform.NewTrain(transform.Train{Output: plain(4, channels), HFlip: c.h, VFlip: c.v})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, 16*channels)
			if err := p.Apply(got, src, new(transform.Workspace), rng.New(1, "flip")); err != nil {
				t.Fatal(err)
			}
			for i, g := range got {
				x, y := c.at(i/channels%4, i/channels/4)
				if want := float64(src.Row(y)[x*channels+i%channels]); math.Abs(float64(g)-want) > 1e-3 {
					t.Errorf("%d channels, flips %v and %v: value %d is %v, want %v", channels, c.h, c.v, i, g, want)
				}
			}
		}
	}
}

func TestChannelsAreConverted(t *testing.T) {
	rgb, gray := counting(2, 2, 3), counting(2, 2, 1)
	for _, c := range []struct {
		src      *imaging.Image
		channels int
		want     []float32
	}{
		{gray, 3, []float32{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3}},
		{rgb, 1, []float32{1, 4, 7, 10}},
	} {
		p, err := transform.NewEval(transform.Eval{Output: plain(2, c.channels)})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(c.want))
		if err := p.Apply(got, c.src, new(transform.Workspace), nil); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i] = float32(math.Round(float64(got[i])))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("to %d channels: %v, want %v", c.channels, got, c.want)
		}
	}
}

// invert is an op of a user's own.
type invert struct{}

func (invert) Apply(w *transform.Workspace, _ *rng.Stream) {
	src, dst := w.Current(), w.Target()
	dst.Reset(src.Width, src.Height, src.Channels)
	for y := range src.Height {
		out := dst.Row(y)
		for x, v := range src.Row(y) {
			out[x] = 255 - v
		}
	}
	w.Commit()
}

func TestOpsLeaveTheSourceAlone(t *testing.T) {
	src := counting(8, 8, 3)
	before := slices.Clone(src.Pix)
	for _, crop := range []string{"none", "rrc", "pad2", "pad2_reflect"} {
		p, err := transform.NewTrain(transform.Train{Output: plain(8, 3), Crop: crop, HFlip: 0.5, Ops: []transform.Op{invert{}, invert{}}})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, 8*8*3)
		var w transform.Workspace
		s := rng.New(1, "x")
		for range 20 {
			if err := p.Apply(out, src, &w, s); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(before, src.Pix) {
			t.Fatalf("crop %s wrote to its source", crop)
		}
		if a := testing.AllocsPerRun(20, func() {
			if err := p.Apply(out, src, &w, s); err != nil {
				t.Fatal(err)
			}
		}); a != 0 {
			t.Errorf("crop %s: %v allocations, want 0", crop, a)
		}
	}
}

func TestRefused(t *testing.T) {
	good := plain(8, 3)
	with := func(change func(*transform.Train)) transform.Train {
		c := transform.Train{Output: good}
		change(&c)
		return c
	}
	for _, c := range []struct {
		train transform.Train
		want  string
	}{
		{with(func(c *transform.Train) { c.Size = 0 }), "image size 0"},
		{with(func(c *transform.Train) { c.Channels = 2 }), "2 image channels"},
		{with(func(c *transform.Train) { c.Mean = []float64{1, 2} }), "2 values of mean for 3 channels"},
		{with(func(c *transform.Train) { c.Std = []float64{0} }), "std 0"},
		{with(func(c *transform.Train) { c.HFlip = 1.5 }), "horizontal flip"},
		{with(func(c *transform.Train) { c.VFlip = math.NaN() }), "vertical flip"},
		{with(func(c *transform.Train) { c.Crop = "pad" }), `crop "pad" is unknown`},
		{with(func(c *transform.Train) { c.Crop = "squeeze" }), "known are none, rrc, padN"},
		{with(func(c *transform.Train) { c.Crop, c.Scale = "rrc", [2]float64{1, 0.5} }), "crop scale"},
		{with(func(c *transform.Train) { c.Crop, c.Ratio = "rrc", [2]float64{-1, 1} }), "crop ratio"},
		{with(func(c *transform.Train) { c.Interpolation = "cubic" }), `interpolation "cubic" is unknown`},
	} {
		if _, err := transform.NewTrain(c.train); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.train, err, c.want)
		}
	}
	if _, err := transform.NewEval(transform.Eval{Output: good, CropPct: 1.2}); err == nil || !strings.Contains(err.Error(), "crop_pct 1.2") {
		t.Errorf("crop_pct 1.2: error %v", err)
	}
}

func Example() {
	p, err := transform.NewEval(transform.Eval{
		Output:  transform.Output{Size: 2, Channels: 3, Mean: []float64{0.5}, Std: []float64{0.5}},
		CropPct: 0.875,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	white := imaging.New(30, 20, 3)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	input := make([]float32, 2*2*3)
	if err := p.Apply(input, white, new(transform.Workspace), nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(input)
	// Output: [1 1 1 1 1 1 1 1 1 1 1 1]
}

// everything is a pipeline with every augmentation.
func everything(channels int, auto, interpolation string) transform.Train {
	mean, std := []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}
	return transform.Train{
		Output: transform.Output{Size: 16, Channels: channels, Mean: mean[:channels], Std: std[:channels]},
		Crop:   "rrc", HFlip: 0.5, VFlip: 0.5, Interpolation: interpolation,
		Auto: auto, ColorJitter: []float64{0.4, 0.4, 0.4, 0.1}, GrayProb: 0.2, BlurProb: 0.5,
		Erase: transform.Erase{Prob: 0.5, Mode: "pixel", Count: 3},
	}
}

var autos = []string{"none", "rand-m9-n4-p0.9-mstd0.5-inc1", "rand-m9-n3-p1-t3aw", "original", "v0r-mstd0.5", "3a", "augmix-m5-w3", "augmix-m5-b1", "trivial"}

// Every augmentation, in gray and in colour, gives the same for the same draws, leaves
// its source alone and allocates nothing once its buffers have grown.
func TestAugmentations(t *testing.T) {
	for _, channels := range []int{1, 3} {
		src := counting(25, 21, channels)
		before := slices.Clone(src.Pix)
		for _, auto := range autos {
			for _, interpolation := range []string{"nearest", "random"} {
				p, err := transform.NewTrain(everything(channels, auto, interpolation))
				if err != nil {
					t.Fatal(err)
				}
				out, again := make([]float32, 16*16*channels), make([]float32, 16*16*channels)
				var w transform.Workspace
				var s rng.Stream
				seen := map[float32]bool{}
				apply := func(out []float32, w *transform.Workspace, i uint64) {
					s.Reset(1, "x", i)
					if err := p.Apply(out, src, w, &s); err != nil {
						t.Fatal(err)
					}
				}
				for i := range uint64(60) {
					apply(out, &w, i)
					apply(again, new(transform.Workspace), i)
					if !slices.Equal(out, again) {
						t.Fatalf("%s, %d channels, draw %d depends on what came before", auto, channels, i)
					}
					seen[out[100]] = true
				}
				if len(seen) < 30 {
					t.Errorf("%s: only %d results", auto, len(seen))
				}
				i := uint64(0)
				if n := testing.AllocsPerRun(50, func() { apply(out, &w, i%60); i++ }); n != 0 {
					t.Errorf("%s, %d channels, %s: %v allocations, want 0", auto, channels, interpolation, n)
				}
			}
		}
		if !slices.Equal(before, src.Pix) {
			t.Errorf("an augmentation of %d channels wrote to its source", channels)
		}
	}
}

// From a file, the augmentations see what a crop of the decoded picture shows.
func TestAugmentationsOfFiles(t *testing.T) {
	var one, other transform.Workspace
	contents := golden.Picture(t, testdata, "420.jpg")
	var im imaging.Image
	if err := imaging.Decode(&im, contents, 3); err != nil {
		t.Fatal(err)
	}
	train := everything(3, "rand-m9-mstd0.5-inc1", "random")
	train.Size = 32
	p, err := transform.NewTrain(train)
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]float32, 32*32*3), make([]float32, 32*32*3)
	for i := range uint64(40) {
		if err := p.ApplyEncoded(got, contents, &one, rng.New(1, "x", i)); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(want, &im, &other, rng.New(1, "x", i)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("draw %d: the file gives something else than the picture", i)
		}
	}
}

func TestAugmentationsRefused(t *testing.T) {
	for want, change := range map[string]func(*transform.Train){
		`automatic augmentation rend-m7: there is no "rend"`: func(c *transform.Train) { c.Auto = "rend-m7" },
		"lanczos interpolation":                              func(c *transform.Train) { c.Interpolation = "lanczos" },
		"2 numbers of colour":                                func(c *transform.Train) { c.ColorJitter = []float64{1, 2} },
		"must be at least 0":                                 func(c *transform.Train) { c.ColorJitter = []float64{-1} },
		"of hue, must be at":                                 func(c *transform.Train) { c.ColorJitter = []float64{0, 0, 0, 0.6} },
		"2 of colour jitter":                                 func(c *transform.Train) { c.JitterProb = 2 },
		"1.5 of gray":                                        func(c *transform.Train) { c.GrayProb = 1.5 },
		"-1 of blur":                                         func(c *transform.Train) { c.BlurProb = -1 },
		"probability 7 of eras":                              func(c *transform.Train) { c.Erase.Prob = 7 },
		`erase mode "noise"`:                                 func(c *transform.Train) { c.Erase.Mode = "noise" },
		"-2 boxes to erase":                                  func(c *transform.Train) { c.Erase.Count = -2 },
	} {
		c := everything(3, "rand", "")
		change(&c)
		if _, err := transform.NewTrain(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
