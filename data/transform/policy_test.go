package transform

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/adjust"
	"github.com/seed52467199/trainer/internal/rng"
)

// taken is how often an operation was done and what it took.
type taken struct {
	Count                        int
	Mean, Deviation, Least, Most float64
	Size                         float64 // mean of the absolute value
	SizeDeviation                float64 `json:"size_deviation"`
}

// published are the counts of timm's and torchvision's policies.
func published(t *testing.T) map[string]struct {
	Pictures   int
	Operations map[string]taken
} {
	t.Helper()
	text, err := os.ReadFile("testdata/policies.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Pictures   int
		Operations map[string]taken
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// record makes the steps of a policy only tell what they take.
func record(t *testing.T, op Op, note func(name string, argument float64)) {
	recording := func(o *operation) {
		name := o.name
		o.apply = func(_ *Workspace, argument float64, _ *look, _ *rng.Stream) { note(name, argument) }
	}
	switch op := op.(type) {
	case *randAugment:
		for i := range op.steps {
			recording(&op.steps[i].operation)
		}
	case *augMix:
		for i := range op.steps {
			recording(&op.steps[i].operation)
		}
	case *autoAugment:
		for _, policy := range op.policies {
			for i := range policy {
				recording(&policy[i].operation)
			}
		}
	case *trivialAugment:
		old := slices.Clone(wide)
		t.Cleanup(func() { wide = old })
		for i := range wide {
			recording(&wide[i].operation)
		}
	default:
		t.Fatalf("%T", op)
	}
}

func summary(values []float64) taken {
	s := taken{Count: len(values)}
	if len(values) == 0 {
		return s
	}
	for _, v := range values {
		s.Mean += v / float64(len(values))
	}
	for _, v := range values {
		s.Deviation += (v - s.Mean) * (v - s.Mean) / float64(len(values))
	}
	s.Deviation = math.Sqrt(s.Deviation)
	for _, v := range values {
		s.Size += math.Abs(v) / float64(len(values))
	}
	s.SizeDeviation = math.Sqrt(max(s.Deviation*s.Deviation+s.Mean*s.Mean-s.Size*s.Size, 0))
	s.Least, s.Most = slices.Min(values), slices.Max(values)
	return s
}

// alike compares two samples of the same distribution, each of n pictures: rates
// within five standard deviations, and arguments by their first moments.
func alike(t *testing.T, what string, got, want taken) {
	t.Helper()
	if d := math.Abs(float64(got.Count - want.Count)); d > 5*math.Sqrt(float64(got.Count+want.Count)) {
		t.Errorf("%s: done %d times, want about %d", what, got.Count, want.Count)
		return
	}
	n := float64(min(got.Count, want.Count))
	if n < 10 {
		return
	}
	deviation := max(got.Deviation, want.Deviation)
	const rounding = 2e-6 // of the file's decimals
	if math.Abs(got.Mean-want.Mean) > 5*deviation*math.Sqrt(2/n)+rounding {
		t.Errorf("%s: takes %.4f on average, want %.4f", what, got.Mean, want.Mean)
	}
	if math.Abs(got.Size-want.Size) > 5*max(got.SizeDeviation, want.SizeDeviation)*math.Sqrt(2/n)+rounding {
		t.Errorf("%s: takes %.4f in size on average, want %.4f", what, got.Size, want.Size)
	}
	if math.Abs(got.Deviation-want.Deviation) > deviation*max(6/math.Sqrt(n), 0.2)+rounding {
		t.Errorf("%s: what it takes deviates by %.4f, want %.4f", what, got.Deviation, want.Deviation)
	}
	if span := want.Most - want.Least; got.Least < want.Least-0.5*span-1e-6 || got.Most > want.Most+0.5*span+1e-6 {
		t.Errorf("%s: takes %.4f to %.4f, want about %.4f to %.4f", what, got.Least, got.Most, want.Least, want.Most)
	}
}

// What operations come and what they take is distributed as in timm and torchvision.
func TestPoliciesAreTimms(t *testing.T) {
	for spec, want := range published(t) {
		if strings.HasPrefix(spec, "erase") {
			continue
		}
		l := look{filters: []imaging.Filter{imaging.Bilinear}, pixels: 28, part: 0.45}
		op, err := parseAuto(spec, l)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		values := map[string][]float64{}
		record(t, op, func(name string, argument float64) { values[name] = append(values[name], argument) })
		var w Workspace
		im := imaging.New(2, 2, 1)
		for i := range want.Pictures {
			w.Start(im)
			op.Apply(&w, rng.New(5, spec, uint64(i)))
		}
		for name := range want.Operations {
			if values[name] == nil {
				values[name] = []float64{}
			}
		}
		for name, v := range values {
			alike(t, spec+" "+name, summary(v), want.Operations[name])
		}
	}
}

func TestErasingIsTimms(t *testing.T) {
	for spec, count := range map[string]int{"erase1": 1, "erase3": 3} {
		want := published(t)[spec]
		var shares []float64
		for i := range want.Pictures {
			image := slices.Repeat([]float32{1}, 24*40)
			Erase{Prob: 0.7, Count: count}.apply(image, 24, 40, 1, rng.New(5, spec, uint64(i)))
			erased := 0.0
			for _, v := range image {
				erased += float64(1 - v)
			}
			if erased > 0 {
				shares = append(shares, erased/float64(len(image)))
			}
		}
		alike(t, spec, summary(shares), want.Operations["Erase"])
	}
}

// What is erased is one box in every channel, and of the right colour.
func TestEraseModes(t *testing.T) {
	for _, channels := range []int{1, 3} {
		for _, mode := range []string{"const", "rand", "pixel"} {
			var values []float64
			for i := range uint64(300) {
				image := slices.Repeat([]float32{9}, 20*30*channels)
				Erase{Prob: 1, Mode: mode}.apply(image, 20, 30, channels, rng.New(6, mode, i))
				x0, y0, x1, y1, n := 30, 20, 0, 0, 0
				colors := map[float32]bool{}
				for at, v := range image {
					if v == 9 {
						continue
					}
					x, y := at/channels%30, at/channels/30
					x0, y0, x1, y1, n = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1), n+1
					colors[v] = true
					values = append(values, float64(v))
				}
				if n != (x1-x0)*(y1-y0)*channels {
					t.Fatalf("%s: %d values of the box (%d, %d) to (%d, %d) are erased", mode, n, x0, y0, x1, y1)
				}
				if want := map[string]int{"const": 1, "rand": channels, "pixel": n}[mode]; len(colors) != want {
					t.Fatalf("%s, %d channels: %d values, want %d", mode, channels, len(colors), want)
				}
			}
			if s := summary(values); math.Abs(s.Mean) > 0.3 || mode == "const" != (s.Deviation == 0) || mode != "const" && math.Abs(s.Deviation-1) > 0.2 {
				t.Errorf("%s: mean %.3f and deviation %.3f", mode, s.Mean, s.Deviation)
			}
		}
	}
}

// AugMix of one operation mixes what that makes.
func TestAugMixMixes(t *testing.T) {
	src := imaging.New(7, 5, 3)
	for i := range src.Pix {
		src.Pix[i] = uint8(7 * i)
	}
	inverted := imaging.New(7, 5, 3)
	for i, v := range src.Pix {
		inverted.Pix[i] = 255 - v
	}
	for _, blended := range []bool{false, true} {
		a := &augMix{steps: steps([]string{"Invert"}, 1, 3), alpha: 1, width: 3, depth: 1, blended: blended, strength: strength{0, 10}}
		var w Workspace
		seen := map[uint8]bool{}
		for i := range uint64(50) {
			s := rng.New(3, "mix", i)
			weights := dirichlet(nil, 1, 3, s)
			m := s.Beta(1, 1)
			if sum := weights[0] + weights[1] + weights[2]; math.Abs(sum-1) > 1e-12 {
				t.Fatalf("weights %v", weights)
			}
			w.Start(src)
			a.Apply(&w, rng.New(3, "mix", i))
			for k, v := range w.Current().Pix {
				want := float64(src.Pix[k]) + m*(float64(inverted.Pix[k])-float64(src.Pix[k]))
				if math.Abs(float64(v)-want) > 3.5 { // every rounding is down
					t.Fatalf("blended %v, m %.3f: %d became %d, want about %.1f", blended, m, src.Pix[k], v, want)
				}
			}
			seen[w.Current().Pix[0]] = true
		}
		if len(seen) < 20 {
			t.Errorf("only %d results", len(seen))
		}
	}
}

// Each weight is distributed as the others, with the Dirichlet distribution's mean
// and variance.
func TestDirichlet(t *testing.T) {
	const n, k = 20000, 4
	for _, alpha := range []float64{0.5, 1, 3} {
		var sums, squares [k]float64
		for i := range uint64(n) {
			for j, v := range dirichlet(nil, alpha, k, rng.New(4, "dirichlet", i)) {
				sums[j] += v / n
				squares[j] += v * v / n
			}
		}
		variance := (k - 1) / (k * k * (k*alpha + 1))
		for j := range k {
			if v := squares[j] - sums[j]*sums[j]; math.Abs(sums[j]-1./k) > 5*math.Sqrt(variance/n) || math.Abs(v/variance-1) > 0.06 {
				t.Errorf("alpha %v, weight %d: mean %.4f, variance %.5f; want %.4f and %.5f", alpha, j, sums[j], v, 1./k, variance)
			}
		}
	}
}

// Jitter does its changes in any order, with factors of their ranges.
func TestJitter(t *testing.T) {
	op, err := colorJitter([]float64{0.4, 0, 1.5, 0.1})
	if err != nil {
		t.Fatal(err)
	}
	want := [4][2]float64{{0.6, 1.4}, {1, 1}, {0, 2.5}, {-0.1, 0.1}}
	if got := op.(jitter).ranges; !slices.EqualFunc(got[:], want[:], func(a, b [2]float64) bool {
		return math.Abs(a[0]-b[0]) < 1e-12 && math.Abs(a[1]-b[1]) < 1e-12
	}) {
		t.Errorf("ranges %v, want %v", got, want)
	}
	// A gray picture is left to brightness and contrast.
	gray := imaging.New(3, 3, 1)
	for i := range gray.Pix {
		gray.Pix[i] = uint8(20 * i)
	}
	op, err = colorJitter([]float64{0, 0, 0.9, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	var w Workspace
	w.Start(gray)
	op.Apply(&w, rng.New(1, "jitter"))
	if !slices.Equal(w.Current().Pix, gray.Pix) {
		t.Errorf("saturation and hue changed a gray picture: %v", w.Current().Pix)
	}
	// Brightness by 2 and contrast by 0 give another gray in either order.
	j := jitter{[4][2]float64{{2, 2.000001}, {0, 0.000001}, {1, 1}, {0, 0}}}
	pair := imaging.New(2, 1, 1)
	pair.Pix[0], pair.Pix[1] = 0, 200
	dark := 0
	for i := range uint64(1000) {
		w.Start(pair)
		j.Apply(&w, rng.New(1, "order", i))
		switch v := w.Current().Pix[0]; {
		case v == 127 || v == 128: // 0 and 255, then their mean
			dark++
		case v < 198 || v > 200: // their mean, 100, then twice that
			t.Fatalf("0 became %d", v)
		}
	}
	if dark < 420 || dark > 580 {
		t.Errorf("brightness came first %d times of 1000", dark)
	}
}

// What is outside gets the mean colour, or black.
func TestFill(t *testing.T) {
	for auto, want := range map[string][3]uint8{"rand-m9": {124, 116, 104}, "augmix": {124, 116, 104}, "v0": {124, 116, 104}, "trivial": {}} {
		train := Train{Output: Output{Size: 8, Channels: 3, Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{1}}, Auto: auto}
		op, err := train.auto()
		if err != nil {
			t.Fatal(err)
		}
		var got look
		switch op := op.(type) {
		case *randAugment:
			got = op.look
		case *augMix:
			got = op.look
		case *autoAugment:
			got = op.look
		case *trivialAugment:
			got = op.look
		}
		if got.fill != want || got.pixels != 3 || len(got.filters) != 2 {
			t.Errorf("%s: %+v", auto, got)
		}
		if part := map[bool]float64{true: 0.3, false: 0.45}[auto == "augmix"]; got.part != part {
			t.Errorf("%s: translates by up to %v", auto, got.part)
		}
	}
	var w Workspace
	w.Start(imaging.New(4, 4, 3))
	move(&w, adjust.Translation(2, 0), &look{fill: [3]uint8{1, 2, 3}, filters: []imaging.Filter{imaging.Bilinear}}, rng.New(1, "x"))
	if row := w.Current().Row(0); !slices.Equal(row, []uint8{0, 0, 0, 0, 0, 0, 1, 2, 3, 1, 2, 3}) {
		t.Errorf("moved to the left: %v", row)
	}
}

func TestAutoRefused(t *testing.T) {
	for spec, want := range map[string]string{
		"randaug-m7":      `there is no "randaug"; known are none, rand, augmix, original`,
		"rand-m7-x3":      `the part "x3" is unknown; rand takes m, n, p, mstd, mmax, inc, t`,
		"rand-m7-w0":      "the part w0 is unknown; weighted operations are tweights or t3aw",
		"rand-m7.5":       "m7.5 should be m and a whole number of at least 0",
		"rand-m":          "m should be m and a whole number of at least 0",
		"rand-mx":         `the part "mx" is unknown`,
		"rand-m7-n0":      "n0 should be n and a whole number from 1 to 100",
		"rand-p1.5":       "p1.5 should be p and a number from 0 to 1",
		"rand-inc2":       "inc2 should be inc and a whole number from 0 to 1",
		"rand-m7-m8":      `the part "m" comes twice`,
		"rand-tw":         "tw names no set of operations; known are tweights, t3a, t3aw",
		"rand-n20-t3aw":   "n20 asks for more than the 14 weighted operations",
		"rand--m7":        `the part "" is unknown`,
		"rand-":           `the part "" is unknown`,
		"original-m7":     `the part "m7" is unknown; original takes mstd`,
		"v0-mstd-1":       "mstd-1 should be mstd and a number of at least 0",
		"augmix-d0":       "d0 should be d and a whole number from 1 to 100, or d-1",
		"augmix-a0":       "a0 should be a and a number above 0",
		"augmix-mstdnan":  `the part "mstdnan" is unknown`,
		"trivial-m7":      `the part "m7" is unknown; trivial takes none`,
		"v1":              `there is no "v1"`,
		"rand-m7-mstd0,5": "mstd0,5 should be mstd and a number of at least 0",
	} {
		if err := CheckAuto(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", spec, err, want)
		}
	}
	for _, spec := range []string{"", "none", "rand", "rand-m9-mstd0.5-inc1", "rand-n3-tweights", "augmix-m3-w3-d-1-b1", "augmix-d2-a0.5", "3a", "ta_wide", "v0r-mstd0.5"} {
		if err := CheckAuto(spec); err != nil {
			t.Error(err)
		}
	}
}

func FuzzAuto(f *testing.F) {
	for _, spec := range []string{"rand-m7-n2-mstd0.5-inc1-p0.5-tweights", "augmix-m3-w3-d-1-b1", "original-mstd0.5", "ta_wide"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		if CheckAuto(spec) != nil || len(spec) > 60 || spec == "" || spec == "none" {
			return
		}
		op, err := parseAuto(spec, look{filters: []imaging.Filter{imaging.Bicubic}, part: 0.45})
		if err != nil {
			t.Fatal(err)
		}
		var w Workspace
		w.Start(imaging.New(3, 3, 3))
		op.Apply(&w, rng.New(1, "fuzz"))
	})
}
