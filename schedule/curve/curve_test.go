package curve

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/configs"
)

// sweep is the default test, 1e-6 to 10 in 200 steps.
func sweep() configs.LRFind { return configs.Default().LRFind }

// draw makes the points of a curve, given by the loss over the decimal
// logarithm of the rate, with normally distributed noise.
func draw(c configs.LRFind, loss func(log float64) float64, sigma float64, seed uint64) []Point {
	random := rand.New(rand.NewPCG(seed, 1))
	points := make([]Point, 0, c.Steps)
	for _, lr := range Rates(c) {
		points = append(points, Point{lr, loss(math.Log10(lr)) + sigma*random.NormFloat64()})
	}
	return points
}

// between goes from a at x=from to b at x=to in a straight line, and is level
// outside.
func between(x, from, to, a, b float64) float64 {
	return a + (b-a)*min(1, max(0, (x-from)/(to-from)))
}

// logistic falls from 2.3 to 0.3 around x=at; its slope is symmetric there.
func logistic(x, at, width float64) float64 { return 0.3 + 2/(1+math.Exp((x-at)/width)) }

// explode is added to a curve that diverges beyond x=at.
func explode(x, at float64) float64 { return math.Expm1(20 * max(0, x-at)) }

// want is a suggestion's right answer and the factor by which it may be
// missed; 0 is absent.
type want struct{ lr, factor float64 }

func (w want) met(got float64) bool {
	if w.lr == 0 {
		return got == 0
	}
	return got > 0 && math.Abs(math.Log(got/w.lr)) <= math.Log(w.factor)
}

func TestRead(t *testing.T) {
	linear := sweep()
	linear.Mode, linear.MinLR, linear.MaxLR = "linear", 1e-3, 1
	short := sweep()
	short.Steps = 30
	unsmoothed := sweep()
	unsmoothed.Smoothing = 0
	tests := []struct {
		name                            string
		c                               configs.LRFind
		loss                            func(x float64) float64
		noise                           float64
		steepest, valley, min10, turn10 want
		verdict                         string
	}{
		{
			// Level, a straight fall from 1e-4 to 1e-2, level, an explosion at 1e-1.
			name: "trapezoid", c: sweep(),
			loss:     func(x float64) float64 { return between(x, -4, -2, 2.3, 0.5) + explode(x, -1) },
			steepest: want{1e-3, 8}, valley: want{1e-3, 1.25}, min10: want{math.Pow(10, -2.5), 3.5}, turn10: want{1e-2, 1.2},
			verdict: "clear valley: the loss falls from 2.3 to 0.5",
		},
		{
			name: "trapezoid with noise", c: sweep(), noise: 0.1,
			loss:     func(x float64) float64 { return between(x, -4, -2, 2.3, 0.5) + explode(x, -1) },
			steepest: want{1e-3, 8}, valley: want{1e-3, 2}, min10: want{math.Pow(10, -2.5), 3.5}, turn10: want{1e-2, 1.6},
			verdict: "clear valley",
		},
		{
			name: "logistic", c: sweep(),
			loss:     func(x float64) float64 { return logistic(x, -3, 0.25) + explode(x, -0.5) },
			steepest: want{1e-3, 1.05}, valley: want{1e-3, 1.1}, min10: want{math.Pow(10, -1.75), 2}, turn10: want{math.Pow(10, -1.5), 1.2},
			verdict: "clear valley",
		},
		{
			// The bottom goes on falling up to the explosion.
			name: "without smoothing", c: unsmoothed,
			loss:     func(x float64) float64 { return logistic(x, -3, 0.25) + explode(x, -0.5) },
			steepest: want{1e-3, 1.05}, valley: want{1e-3, 1.05}, min10: want{math.Pow(10, -1.5), 1.05}, turn10: want{math.Pow(10, -1.5), 1.1},
			verdict: "clear valley",
		},
		{
			name: "logistic with noise", c: sweep(), noise: 0.15,
			loss:     func(x float64) float64 { return logistic(x, -3, 0.25) + explode(x, -0.5) },
			steepest: want{1e-3, 1.7}, valley: want{1e-3, 1.7}, min10: want{math.Pow(10, -2), 5}, turn10: want{math.Pow(10, -1.5), 1.6},
			verdict: "clear valley",
		},
		{
			// It falls by 16, of which a twentieth is left at the root of 0.8 from the bottom.
			name: "parabola", c: sweep(),
			loss:     func(x float64) float64 { return 40 + math.Pow(x+2, 2) },
			steepest: want{math.Pow(10, -5.3), 1.5}, valley: want{math.Pow(10, -4.4), 1.6}, min10: want{1e-3, 1.1}, turn10: want{math.Pow(10, -3+0.9), 1.3},
			verdict: "clear valley",
		},
		{
			// Half-way and steepest are meant in the logarithm also where the steps are even.
			name: "linear steps", c: linear,
			loss:     func(x float64) float64 { return logistic(x, -0.5, 0.05) + explode(x, -0.05) },
			steepest: want{math.Pow(10, -0.5), 1.2}, valley: want{math.Pow(10, -0.5), 1.2}, min10: want{math.Pow(10, -1.2), 1.4}, turn10: want{math.Pow(10, -1.05), 1.1},
			verdict: "clear valley",
		},
		{
			name: "few steps", c: short,
			loss:     func(x float64) float64 { return between(x, -5, -2, 2.3, 0.5) + explode(x, -1) },
			steepest: want{math.Pow(10, -3.5), 20}, valley: want{math.Pow(10, -3.5), 2}, min10: want{math.Pow(10, -2.3), 3}, turn10: want{1e-2, 1.8},
			verdict: "clear valley",
		},
		{
			// A cross-entropy that goes back to that of a network which knows nothing.
			name: "rise without explosion", c: sweep(), noise: 0.02,
			loss:     func(x float64) float64 { return logistic(x, -3, 0.25) + between(x, -0.5, 0.2, 0, 2) },
			steepest: want{1e-3, 1.3}, valley: want{1e-3, 1.3}, min10: want{math.Pow(10, -2.2), 3}, turn10: want{math.Pow(10, -1.4), 1.5},
			verdict: "clear valley",
		},
		{
			name: "not finite", c: sweep(),
			loss: func(x float64) float64 {
				if x > -1 {
					return math.NaN()
				}
				return logistic(x, -3, 0.25)
			},
			steepest: want{1e-3, 1.1}, valley: want{1e-3, 1.1}, min10: want{1e-2, 1.2}, turn10: want{1e-2, 1.2},
			verdict: "clear valley",
		},
		{
			name: "still falling", c: sweep(), noise: 0.02,
			loss:     func(x float64) float64 { return between(x, -3, 2, 2.3, 1) },
			steepest: want{1e-1, 100}, valley: want{1e-1, 2},
			verdict: "never diverged: the loss falls from 2.3 to 1.3",
		},
		{
			name: "low to the end", c: sweep(), noise: 0.02,
			loss:     func(x float64) float64 { return logistic(x, -3, 0.25) },
			steepest: want{1e-3, 1.3}, valley: want{1e-3, 1.3},
			verdict: "never diverged",
		},
		{
			name: "rising from the beginning", c: sweep(),
			loss:    func(x float64) float64 { return 2.3 + math.Pow(x+6, 2) },
			verdict: "diverged at once",
		},
		{
			name: "exploding from the beginning", c: sweep(), noise: 0.1,
			loss:    func(x float64) float64 { return 2.3 + explode(x, -5.9) },
			verdict: "diverged at once",
		},
		{
			name: "not finite from the beginning", c: sweep(),
			loss:    func(float64) float64 { return math.Inf(1) },
			verdict: "diverged at once, after 0 steps: lower lr_find.min_lr",
		},
		{
			name: "constant", c: sweep(),
			loss:    func(float64) float64 { return 2.3 },
			verdict: "no clear valley: the loss stays near 2.3",
		},
		{
			name: "nothing but zero", c: sweep(),
			loss:    func(float64) float64 { return 0 },
			verdict: "no clear valley: the loss stays near 0",
		},
		{
			name: "noise alone", c: sweep(), noise: 0.3,
			loss:    func(float64) float64 { return 2.3 },
			verdict: "no clear valley: the loss stays near 2.",
		},
		{
			name: "level, then an explosion", c: sweep(), noise: 0.05,
			loss:    func(x float64) float64 { return 2.3 + explode(x, -1) },
			verdict: "no clear valley: the loss rises without having fallen",
		},
		{
			// A short steep fall at 1e-5 and a long shallow one around 3e-3: no one rule is to be believed.
			name: "two falls", c: sweep(),
			loss: func(x float64) float64 {
				return between(x, -5.05, -4.95, 3, 1.7) + between(x, -4.3, -3.6, 0, 1.6) + between(x, -3.6, -0.2, 0, -2) + explode(x, 0)
			},
			steepest: want{1e-5, 1.5}, valley: want{math.Pow(10, -1.9), 2}, min10: want{math.Pow(10, -1.3), 2}, turn10: want{1e-1, 1.3},
			verdict: "no clear valley: the loss falls in more than one place",
		},
		{
			name: "three points", c: configs.LRFind{MinLR: 1e-3, MaxLR: 1, Steps: 3, Mode: "exp", Smoothing: 0.9, Diverge: 4},
			loss:    func(x float64) float64 { return -x },
			verdict: "too few points: 3, and at least 8 are needed; raise lr_find.steps",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Read(draw(test.c, test.loss, test.noise, 7), test.c)
			got := r.Suggestions
			for _, one := range []struct {
				name string
				want want
				got  float64
			}{{"steepest", test.steepest, got.Steepest}, {"valley", test.valley, got.Valley}, {"min10", test.min10, got.Min10}, {"turn10", test.turn10, got.Turn10}} {
				if !one.want.met(one.got) {
					t.Errorf("%s is %.3g, want %.3g within a factor of %g", one.name, one.got, one.want.lr, one.want.factor)
				}
			}
			if !strings.HasPrefix(r.Verdict, test.verdict) {
				t.Errorf("verdict: %s\nwant:    %s", r.Verdict, test.verdict)
			}
			if r.Clear != strings.HasPrefix(r.Verdict, "clear valley") {
				t.Errorf("clear is %t, but the verdict is %q", r.Clear, r.Verdict)
			}
		})
	}
}

// Chance must not look like a valley, and noise must not hide one.
func TestVerdictUnderNoise(t *testing.T) {
	const runs = 300
	level := func(float64) float64 { return 2.3 }
	valley := func(x float64) float64 { return logistic(x, -3, 0.25) + explode(x, -0.5) }
	for _, steps := range []int{20, 50, 100, 200, 500} {
		c := sweep()
		c.Steps = steps
		invented, missed, off := 0, 0, 0
		for seed := range uint64(runs) {
			if r := Read(draw(c, level, 0.2, seed), c); r.Suggestions != (Suggestions{}) {
				invented++
			}
			r := Read(draw(c, valley, 0.2, seed), c)
			if !r.Clear {
				missed++
			}
			if !(want{1e-3, 4}).met(r.Suggestions.Valley) {
				off++
			}
		}
		t.Logf("%d steps: of %d curves, %d without a fall got suggestions; %d with a valley got no clear verdict, and %d a valley more than a factor of 4 away", steps, runs, invented, missed, off)
		if invented > runs/50 {
			t.Errorf("%d steps: suggestions for %d of %d curves of noise", steps, invented, runs)
		}
		if steps >= 50 && (missed > runs/50 || off > runs/50) {
			t.Errorf("%d steps: of %d valleys, %d were missed and %d misplaced", steps, runs, missed, off)
		}
	}
}

// Whatever the curve, suggestions lie within the range of the test or are
// absent, and everything can be written as JSON, which has no NaN.
func TestReadNeverLeavesTheRange(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	special := []float64{0, -1, 1, 1e300, -1e300, 1e29, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324}
	for range 3000 {
		c := sweep()
		c.Steps = random.IntN(60)
		c.Smoothing = []float64{0, 0.5, 0.9, 0.98, 0.9999}[random.IntN(5)]
		c.Mode = []string{"exp", "linear"}[random.IntN(2)]
		points := make([]Point, 0, c.Steps)
		loss, walk, oddness := 2.3, random.Float64(), random.Float64()*0.3
		for _, lr := range Rates(c) {
			loss += walk * random.NormFloat64()
			p := Point{lr, loss}
			if random.Float64() < oddness {
				p.Loss = special[random.IntN(len(special))]
			}
			if random.Float64() < oddness/5 {
				p.LR = special[random.IntN(len(special))]
			}
			points = append(points, p)
		}
		r := Read(points, c)
		for _, lr := range []float64{r.Suggestions.Steepest, r.Suggestions.Valley, r.Suggestions.Slide, r.Suggestions.Min10, r.Suggestions.Turn10, r.Suggestions.Turn4, r.Suggestions.Half} {
			if lr != 0 && !(lr >= r.Smoothed[0].LR*(1-1e-12) && lr <= r.Smoothed[len(r.Smoothed)-1].LR*(1+1e-12)) {
				t.Fatalf("the suggestion %g is out of range: %+v\n%v", lr, r.Suggestions, points)
			}
		}
		for _, p := range r.Smoothed {
			if math.IsNaN(p.Loss) || math.IsInf(p.Loss, 0) || math.IsNaN(p.LR) {
				t.Fatalf("the smoothed curve holds %v", p)
			}
		}
		if r.Verdict == "" || strings.Contains(r.Verdict, "NaN") || strings.Contains(r.Verdict, "\n") {
			t.Fatalf("verdict %q", r.Verdict)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	}
}

// Neither the scale of the loss nor that of the rate changes what a curve says.
func TestReadIsScaleFree(t *testing.T) {
	c := sweep()
	points := draw(c, func(x float64) float64 { return logistic(x, -3, 0.25) + explode(x, -0.5) }, 0.1, 5)
	want := Read(points, c).Suggestions
	for i := range points {
		points[i].Loss *= 1024
		points[i].LR *= 1. / 64
	}
	got := Read(points, c).Suggestions
	for _, pair := range [][2]float64{{got.Steepest, want.Steepest}, {got.Valley, want.Valley}, {got.Min10, want.Min10}, {got.Turn10, want.Turn10}} {
		if math.Abs(pair[0]*64/pair[1]-1) > 1e-9 {
			t.Errorf("got %+v, want %+v/64", got, want)
		}
	}
}

func TestRates(t *testing.T) {
	c := configs.LRFind{MinLR: 1e-4, MaxLR: 1, Steps: 5, Mode: "exp"}
	tests := []struct {
		mode  string
		steps int
		want  []float64
	}{
		{"exp", 5, []float64{1e-4, 1e-3, 1e-2, 1e-1, 1}},
		{"linear", 4, []float64{1e-4, 1e-4 + 0.9999/3, 1e-4 + 0.9999*2/3, 1}},
		{"exp", 2, []float64{1e-4, 1}},
		{"exp", 1, []float64{1e-4}},
		{"exp", 0, []float64{}},
	}
	for _, test := range tests {
		c.Mode, c.Steps = test.mode, test.steps
		got := Rates(c)
		close := func(a, b float64) bool { return math.Abs(a/b-1) < 1e-12 }
		if !slices.EqualFunc(got, test.want, close) {
			t.Errorf("%s, %d steps: got %v, want %v", test.mode, test.steps, got, test.want)
		}
	}
}

func TestWatch(t *testing.T) {
	tests := []struct {
		name      string
		smoothing float64
		losses    []float64
		stop      int // the index at which it stops; -1 for never
	}{
		{"not a number", 0.9, []float64{1, 1, math.NaN(), 1}, 2},
		{"infinite", 0.9, []float64{math.Inf(1)}, 0},
		{"more than four times the best", 0, []float64{3, 1, 4, 4.01}, 3},
		{"best of the smoothed loss", 0.5, []float64{1, 1, 1, 6, 6}, 4}, // 3.67 after the fourth, 4.87 after the fifth
		{"falling", 0.9, []float64{5, 4, 3, 2, 1}, -1},
		{"zero", 0.9, []float64{0, 0, 5}, -1},
	}
	for _, test := range tests {
		w := NewWatch(configs.LRFind{Smoothing: test.smoothing, Diverge: 4})
		stopped := -1
		for i, loss := range test.losses {
			if _, stop := w.Add(loss); stop {
				stopped = i
				break
			}
		}
		if stopped != test.stop {
			t.Errorf("%s: stopped at %d, want %d", test.name, stopped, test.stop)
		}
	}
	// Debiased: a constant stays what it is from the first step on.
	w := NewWatch(configs.LRFind{Smoothing: 0.98, Diverge: 4})
	for range 5 {
		if got, _ := w.Add(2.5); math.Abs(got-2.5) > 1e-12 {
			t.Errorf("a constant 2.5 is smoothed to %g", got)
		}
	}
}

func TestLongestFall(t *testing.T) {
	tests := []struct {
		y    []float64
		want []int
	}{
		{[]float64{1}, []int{0}},
		{[]float64{1, 1, 1}, []int{2}},
		{[]float64{1, 2, 3}, []int{2}},
		{[]float64{5, 9, 4, 8, 3, 3, 7, 2}, []int{1, 3, 6, 7}},
		{[]float64{9, 1, 8, 2, 7, 3}, []int{0, 2, 4, 5}},
	}
	for _, test := range tests {
		if got := longestFall(test.y); !slices.Equal(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.y, got, test.want)
		}
	}
	// Against the plain definition, on curves small enough for it.
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		y := make([]float64, 1+random.IntN(12))
		for i := range y {
			y[i] = float64(random.IntN(8))
		}
		best := 0
		for set := range 1 << len(y) {
			last, n := math.Inf(1), 0
			for i, v := range y {
				if set>>i&1 == 1 {
					if v >= last {
						n = -1
						break
					}
					last, n = v, n+1
				}
			}
			best = max(best, n)
		}
		run := longestFall(y)
		for k := 1; k < len(run); k++ {
			if run[k] <= run[k-1] || y[run[k]] >= y[run[k-1]] {
				t.Fatalf("%v: %v does not fall", y, run)
			}
		}
		if len(run) != best {
			t.Fatalf("%v: %v has %d members, and the longest %d", y, run, len(run), best)
		}
	}
}

func TestSmoothing(t *testing.T) {
	k := newKernel(0.9, 201)
	line := make([]float64, 201)
	spike := make([]float64, 201)
	spike[100] = 1
	for i := range line {
		line[i] = 3 + 0.25*float64(i)
	}
	// It does not lag: a line stays where it is, away from the ends.
	if got := k.smooth(line)[100]; math.Abs(got-line[100]) > 1e-12 {
		t.Errorf("the line at 100 moved from %g to %g", line[100], got)
	}
	smooth := k.smooth(spike)
	sum, squares := 0.0, 0.0
	for i := range smooth {
		if math.Abs(smooth[i]-smooth[200-i]) > 1e-15 {
			t.Errorf("a spike is smoothed to %g before and %g after it", smooth[i], smooth[200-i])
		}
		sum += smooth[i]
		squares += smooth[i] * smooth[i]
	}
	if math.Abs(sum-1) > 1e-3 || math.Abs(math.Sqrt(squares)-k.gain()) > 1e-6 {
		t.Errorf("a spike keeps %g of its area, and noise %g of its size instead of %g", sum, math.Sqrt(squares), k.gain())
	}
	x := make([]float64, len(line))
	for i := range x {
		x[i] = float64(i * i) // uneven steps
		line[i] = 5 - 2*x[i]
	}
	for i, slope := range k.slopes(x, line) {
		if math.Abs(slope+2) > 1e-9 {
			t.Fatalf("the slope at %d is %g, not -2", i, slope)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range line {
		line[i] = math.Exp(float64(i)/40) + 0.3*random.NormFloat64()
	}
	if got := noise(line); math.Abs(got-0.3) > 0.06 {
		t.Errorf("noise of 0.3 on a curve is estimated as %g", got)
	}
}

func ExampleRead() {
	c := configs.Default().LRFind
	watch := NewWatch(c)
	var points []Point
	for _, lr := range Rates(c) {
		// Instead of a training step: good around LR 0.001, gone at 0.3.
		loss := logistic(math.Log10(lr), -3, 0.25) + explode(math.Log10(lr), -0.5)
		points = append(points, Point{lr, loss})
		if _, stop := watch.Add(loss); stop {
			break
		}
	}
	r := Read(points, c)
	fmt.Println(r.Verdict)
	fmt.Printf("steepest %.1g, valley %.1g, min10 %.1g, turn10 %.1g\n",
		r.Suggestions.Steepest, r.Suggestions.Valley, r.Suggestions.Min10, r.Suggestions.Turn10)
	// Output:
	// clear valley: the loss falls from 2.3 to 0.315 and rises for good beyond LR 0.33
	// steepest 0.001, valley 0.0009, min10 0.01, turn10 0.03
}

// The smoothed curve goes down where the losses do, however far they explode behind.
func TestSmoothedKeepsTheValley(t *testing.T) {
	c := sweep()
	loss := func(x float64) float64 { return between(x, -2.5, -1, 2.3, 1.1) + 1e3*explode(x, -0.5) }
	low := math.Inf(1)
	for _, p := range Read(draw(c, loss, 0.02, 7), c).Smoothed {
		low = min(low, p.Loss)
	}
	if low > 1.35 {
		t.Errorf("the least smoothed loss is %g, and the losses go down to 1.1", low)
	}
}

// A loss that rises without a fall is looked at again around there, unless the sweep was
// no wider.
func TestFiner(t *testing.T) {
	level := func(turn float64) func(x float64) float64 {
		return func(x float64) float64 { return 2.3 + explode(x, turn) }
	}
	c := sweep()
	r := Read(draw(c, level(-1), 0.05, 7), c)
	fine, ok := r.Finer(c)
	if at := math.Log10(r.Missed); !ok || math.Abs(at+1) > 0.3 {
		t.Fatalf("%v, the rise is at %.3g, want 0.1", ok, r.Missed)
	}
	if math.Abs(fine.MinLR*100/r.Missed-1) > 1e-9 || math.Abs(fine.MaxLR/10/r.Missed-1) > 1e-9 || fine.Steps != c.Steps {
		t.Errorf("%+v", fine)
	}
	if _, ok := r.Finer(fine); ok {
		t.Error("a sweep of these rates would not be finer than itself")
	}
	linear := c
	linear.Mode = "linear"
	if _, ok := r.Finer(linear); ok {
		t.Error("a linear sweep has no decades to leave out")
	}
	for name, loss := range map[string]func(x float64) float64{
		"falls":   func(x float64) float64 { return between(x, -4, -2, 2.3, 1) + explode(x, -1) },
		"level":   func(float64) float64 { return 2.3 },
		"at once": level(-5.8),
	} {
		r := Read(draw(c, loss, 0.05, 7), c)
		if _, ok := r.Finer(c); ok || r.Missed != 0 {
			t.Errorf("%s: missed %g (%s)", name, r.Missed, r.Verdict)
		}
	}
}
