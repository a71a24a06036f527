package mix

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// TestTimm mixes with the draws of timm's Mixup and compares pictures and targets.
func TestTimm(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Mode                             string
		Multi                            bool
		Smoothing                        float64
		Height, Width, Channels, Outputs int
		Shares                           []Share
		Centres                          []struct {
			Own  float64
			Y, X int
			Box  [4]int
		}
		Images, Targets, Mixed, MixedTargets []float32
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	var largest float64
	cut, centres := 0, 0
	for i, c := range cases {
		Images(c.Images, c.Shares, c.Height, c.Width, c.Channels)
		Targets(c.Targets, c.Shares, c.Outputs)
		even := 1 / float64(c.Outputs)
		if c.Multi {
			even = 0.5
		}
		for j, v := range c.Targets { // smoothing is linear: before or after mixing is the same
			c.Targets[j] = float32(float64(v)*(1-c.Smoothing) + even*c.Smoothing)
		}
		far := max(farthest(c.Images, c.Mixed), farthest(c.Targets, c.MixedTargets))
		if far > 1e-6 {
			t.Errorf("case %d, %s: differs by %.2g from timm", i, c.Mode, far)
		}
		largest = max(largest, far)
		for _, s := range c.Shares {
			if s.Cut {
				cut++
			}
		}
		for _, p := range c.Centres {
			centres++
			if b := boxAround(p.Own, p.Y, p.X, c.Height, c.Width); b != (Box{p.Box[0], p.Box[1], p.Box[2], p.Box[3]}) {
				t.Errorf("case %d: the box around (%d, %d) that leaves %.3f is %+v, timm's %v", i, p.Y, p.X, p.Own, b, p.Box)
			}
		}
	}
	if cut == 0 || centres == 0 {
		t.Errorf("%d samples with a box, %d boxes with a centre", cut, centres)
	}
	t.Logf("largest difference %.2g over %d cases", largest, len(cases))
}

func farthest(a, b []float32) (far float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for i := range a {
		far = max(far, math.Abs(float64(a[i])-float64(b[i])))
	}
	return far
}

func mixer(t *testing.T, o Options) *Mixer {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The draws depend on seed, epoch and batch alone, and the modes say what shares one.
func TestDraw(t *testing.T) {
	const n, height, width = 9, 8, 6
	draw := func(o Options, epoch, number uint64) []Share {
		shares := make([]Share, n)
		mixer(t, o).Draw(shares, epoch, number, height, width)
		return shares
	}
	o := Options{Mixup: 0.8, CutMix: 1, Prob: 1, Switch: 0.5, Mode: "elem", Seed: 3}
	first := draw(o, 1, 2)
	if !slices.Equal(first, draw(o, 1, 2)) {
		t.Error("the same keys draw other shares")
	}
	for _, other := range [][]Share{draw(o, 2, 2), draw(o, 1, 3), func() []Share { o := o; o.Seed = 4; return draw(o, 1, 2) }()} {
		if slices.Equal(first, other) {
			t.Error("another key draws the same shares")
		}
	}
	if first[n/2] != whole {
		t.Error("the middle sample is mixed with itself")
	}
	o.Mode = "pair"
	pairs := draw(o, 1, 2)
	if pairs[0] == pairs[1] {
		t.Error("two pairs have one share")
	}
	for i, s := range pairs {
		if s != pairs[n-1-i] {
			t.Errorf("sample %d and its partner have different shares", i)
		}
	}
	o.Mode = "batch"
	if b := draw(o, 1, 2); b[0] != b[1] || b[0] != b[n-1] {
		t.Error("samples of a batch have different shares")
	}
	o.OffEpoch = 2
	if b := draw(o, 1, 2); b[0] == whole {
		t.Error("nothing is mixed before the epoch from which on nothing is")
	}
	if b := draw(o, 2, 2); b[0] != whole {
		t.Error("samples are mixed from that epoch on")
	}
}

// Probabilities and the shapes of boxes are those that the options ask for.
func TestDrawDistribution(t *testing.T) {
	const n, height, width = 4000, 20, 10
	shares := make([]Share, n)
	mixer(t, Options{Mixup: 0.2, CutMix: 1, Prob: 0.8, Switch: 0.3, Mode: "elem", Seed: 1}).Draw(shares, 0, 0, height, width)
	var kept, cut int
	for _, s := range shares {
		if s == whole {
			kept++
		} else if s.Cut {
			cut++
			area := float64((s.Box.Bottom - s.Box.Top) * (s.Box.Right - s.Box.Left))
			if math.Abs(1-area/(height*width)-s.Own) > 1e-12 {
				t.Fatalf("%+v: the share is not what the box leaves", s)
			}
		}
	}
	if p := float64(kept) / n; math.Abs(p-0.2) > 0.03 {
		t.Errorf("%.3f of the samples are not mixed, want about 0.2", p)
	}
	if p := float64(cut) / float64(n-kept); math.Abs(p-0.3) > 0.03 {
		t.Errorf("%.3f of the mixed are cut, want about 0.3", p)
	}
	mixer(t, Options{MinMax: [2]float64{0.2, 0.5}, Prob: 1, Mode: "elem"}).Draw(shares, 0, 0, height, width)
	for _, s := range shares {
		if h, w := s.Box.Bottom-s.Box.Top, s.Box.Right-s.Box.Left; s != whole && (h < 4 || h >= 10 || w < 2 || w >= 5 || s.Box.Top < 0 || s.Box.Bottom > height || s.Box.Right > width) {
			t.Fatalf("%+v is not a box of 0.2 to 0.5 of each side", s)
		}
	}
	mixer(t, Options{MinMax: [2]float64{0.5, 0.5}, Prob: 1, Mode: "elem"}).Draw(shares, 0, 0, 1, 1) // an empty range
}

// Odd batches mix: the middle sample keeps its bits.
func TestOddBatch(t *testing.T) {
	images := []float32{1, 2, float32(math.Inf(1)), float32(math.NaN()), 5, 7}
	targets := []float32{1, 0.3, 0}
	shares := make([]Share, 3)
	mixer(t, Options{Mixup: 1, Prob: 1, Mode: "batch"}).Draw(shares, 0, 0, 1, 2)
	own := float32(shares[0].Own)
	Images(images, shares, 1, 2, 1)
	Targets(targets, shares, 1)
	if images[2] != float32(math.Inf(1)) || images[3] == images[3] || targets[1] != 0.3 {
		t.Errorf("the middle sample became %v, %v", images[2:4], targets[1])
	}
	if far := farthest([]float32{images[0], images[5], targets[0], targets[2]}, []float32{own + 5*(1-own), 7*own + 2*(1-own), own, 1 - own}); far > 1e-6 {
		t.Errorf("%v and %v differ by %v", images, targets, far)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{Prob: 1, Mode: "batch"}, {Mixup: -1, CutMix: 1, Prob: 1, Mode: "batch"}, {Mixup: 1, Prob: 2, Mode: "batch"}, {Mixup: math.NaN(), Prob: 1, Mode: "batch"},
		{Mixup: 1, Prob: 1, Switch: -1, Mode: "batch"}, {Mixup: 1, Prob: 1, Mode: "half"}, {MinMax: [2]float64{0.5, 0.2}, Prob: 1, Mode: "pair"}, {MinMax: [2]float64{0.5, 2}, Prob: 1, Mode: "pair"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	m := mixer(t, Options{Mixup: 0.8, CutMix: 1, Prob: 1, Switch: 0.5, Mode: "elem"})
	shares, images, targets := make([]Share, 8), make([]float32, 8*6*6*3), make([]float32, 80)
	number := uint64(0)
	if n := testing.AllocsPerRun(20, func() {
		number++
		m.Draw(shares, 0, number, 6, 6)
		Images(images, shares, 6, 6, 3)
		Targets(targets, shares, 10)
	}); n != 0 {
		t.Errorf("a batch allocates %v times", n)
	}
}
