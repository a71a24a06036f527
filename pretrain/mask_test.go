package pretrain

import (
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/internal/rng"
)

// What is hidden of a sample depends on the seed, the epoch and the sample alone, not on
// its place in the batch.
func TestDrawsBelongToTheSample(t *testing.T) {
	m := &mae{visible: 5}
	for name, draw := range map[string]func([]float32, *rng.Stream){
		"squares": newSquares(12, 3, 0.5).draw, "choose": m.choose, "hide": m.hide,
		"masking": noise{masking: true, level: 0.4}.draw, "gaussian": noise{level: 0.4}.draw,
	} {
		const size = 12 * 12 * 5
		draws := func(seed, epoch uint64, samples ...int) []float32 {
			dst := make([]float32, size*len(samples))
			eachSample(size, seed, "mask", draw)(dst, &data.Batch{Epoch: epoch, Indices: samples})
			return dst
		}
		if name == "squares" {
			draws = func(seed, epoch uint64, samples ...int) []float32 {
				dst := make([]float32, 144*len(samples))
				eachSample(144, seed, "mask", draw)(dst, &data.Batch{Epoch: epoch, Indices: samples})
				return dst
			}
		}
		two := draws(1, 2, 7, 9)
		if !slices.Equal(two[len(two)/2:], draws(1, 2, 9)) {
			t.Errorf("%s: a sample's draws depend on its place", name)
		}
		for _, other := range [][]float32{draws(2, 2, 9), draws(1, 3, 9), draws(1, 2, 8)} {
			if slices.Equal(two[len(two)/2:], other) {
				t.Errorf("%s: another seed, epoch or sample draws the same", name)
			}
		}
	}
}

// So many squares are hidden, whole ones, each as often as any other.
func TestSquares(t *testing.T) {
	const draws = 4000
	q := newSquares(8, 2, 0.6)
	if q.hidden != 10 || q.number() != 16 || q.share() != 0.625 {
		t.Fatalf("%d of %d squares", q.hidden, q.number())
	}
	often := make([]float64, q.number())
	dst := make([]float32, 64)
	for k := range uint64(draws) {
		q.draw(dst, rng.New(1, "test", k))
		hidden := 0
		for i, v := range dst {
			y, x := i/8, i%8
			if v != dst[y/2*2*8+x/2*2] {
				t.Fatalf("the square of cell %d is hidden in part", i)
			}
			if v == 1 && y%2 == 0 && x%2 == 0 {
				hidden++
				often[y/2*4+x/2]++
			}
		}
		if hidden != q.hidden {
			t.Fatalf("%d squares are hidden, want %d", hidden, q.hidden)
		}
	}
	for i, n := range often {
		if want, slack := 0.625*draws, 5*math.Sqrt(draws*0.625*0.375); math.Abs(n-want) > slack {
			t.Errorf("square %d is hidden %v times, want %v within %v", i, n, want, slack)
		}
	}
}

// What the masked autoencoder hides is what it does not choose.
func TestHiddenIsNotVisible(t *testing.T) {
	m := &mae{visible: 4}
	for k := range uint64(100) {
		chosen, hidden := make([]float32, 4*16), make([]float32, 16)
		m.choose(chosen, rng.New(1, "test", k))
		m.hide(hidden, rng.New(1, "test", k))
		for i := range 16 {
			sum := hidden[i]
			for row := range 4 {
				sum += chosen[row*16+i]
			}
			if sum != 1 {
				t.Fatalf("patch %d is hidden or chosen %v times", i, sum)
			}
		}
	}
}

// The noise has its level, and masking leaves the other values as they are.
func TestNoise(t *testing.T) {
	const n = 100000
	dst := make([]float32, n)
	noise{masking: true, level: 0.3}.draw(dst, rng.New(1, "test"))
	zeros := 0.0
	for _, v := range dst {
		if v != 0 && v != 1 {
			t.Fatalf("masking draws %v", v)
		}
		if v == 0 {
			zeros++
		}
	}
	if math.Abs(zeros/n-0.3) > 5*math.Sqrt(0.21/n) {
		t.Errorf("%v of the values become 0, want 0.3", zeros/n)
	}
	noise{level: 0.3}.draw(dst, rng.New(1, "test"))
	squares := 0.0
	for _, v := range dst {
		squares += float64(v) * float64(v)
	}
	if std := math.Sqrt(squares / n); math.Abs(std-0.3) > 0.01 {
		t.Errorf("a standard deviation of %v, want 0.3", std)
	}
}

// The mean absolute difference is that of what is hidden; patches and images are each
// other's inverse, and a map is spread by repeating its pixels.
func TestPatchesAndDifference(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	ps := graph.NewParams(1)
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Eval)
	x, want, mask := g.Input("x", 2, 4, 6, 3), g.Input("want", 1, 2, 2, 1), g.Input("mask", 1, 2, 2, 1)
	small := g.Input("small", 1, 2, 2, 1)
	patches := patchify(g, x, 2)
	same := unpatchify(g, g.Reshape(patches, 2, 2, 3, 12), 2)
	off := difference(g, small, want, mask, 0.5)
	large := spread(3, 4).Forward(g, small)
	p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{patches, same, off, large}})
	if err != nil {
		t.Fatal(err)
	}
	images := make([]float32, 2*4*6*3)
	for i := range images {
		images[i] = float32(i)
	}
	for in, v := range map[*graph.Node][]float32{x: images, small: {1, 2, 3, 4}, want: {0, 5, 9, 4.5}, mask: {0, 1, 0, 1}} {
		if err := p.Set(in, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	read := func(n *graph.Node, size int) []float32 {
		v := make([]float32, size)
		if err := p.Read(n, v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if got := read(patches, len(images)); !slices.Equal(got[12:24], []float32{6, 7, 8, 9, 10, 11, 24, 25, 26, 27, 28, 29}) {
		t.Errorf("the second patch is %v", got[12:24])
	}
	if !slices.Equal(read(same, len(images)), images) {
		t.Error("patches put together again give other images")
	}
	if got := read(off, 1)[0]; got != (3+0.5)/2 {
		t.Errorf("the difference is %v, want 1.75", got)
	}
	if got := read(large, 12); !slices.Equal(got, []float32{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4}) {
		t.Errorf("spread to 3x4: %v", got)
	}
}

// What is measured draws apart from what is trained on.
func TestPurposes(t *testing.T) {
	if a, b := purpose(graph.New(graph.Train), "mask"), purpose(graph.New(graph.Eval), "mask"); a != "mask" || a == b {
		t.Errorf("training draws for %q, validation for %q", a, b)
	}
}
