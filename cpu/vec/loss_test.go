package vec

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

var classCounts = []int{1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 100, 1000, 1001}

func TestSoftmaxRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, classes := range classCounts {
			const rows = 3
			n := rows * classes
			logits, dy := make([]float32, n), make([]float32, n)
			random(r, logits)
			random(r, dy)
			for i := range classes {
				logits[i] += 1000 // a row far from zero
			}
			f, y := fenced(n, 1)
			want := make([]float64, n)
			test := func(name string, fast func(), oracle func()) {
				fast()
				oracle()
				compare(t, title(name, " of ", classes), y, want, 2e-6)
				f.check(t, name)
			}
			test("Softmax", func() { Softmax(y, logits, classes) }, func() { portable.Softmax(want, wide(logits), classes) })
			p := append([]float32{}, y...)
			test("SoftmaxGrad", func() { SoftmaxGrad(y, dy, p, classes) }, func() { portable.SoftmaxGrad(want, wide(dy), wide(p), classes) })
			test("LogSoftmax", func() { LogSoftmax(y, logits, classes) }, func() { portable.LogSoftmax(want, wide(logits), classes) })
			p = append([]float32{}, y...)
			test("LogSoftmaxGrad", func() { LogSoftmaxGrad(y, dy, p, classes) }, func() { portable.LogSoftmaxGrad(want, wide(dy), wide(p), classes) })
		}
	})
}

func TestCrossEntropy(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, classes := range classCounts {
			for _, smoothing := range []float32{0, 0.1} {
				logits, target := make([]float32, classes), make([]float32, classes)
				random(r, logits)
				var total float32
				for i := range target {
					target[i] = r.Float32()
					total += target[i]
				}
				Scale(target, target, 1.1/total) // not quite a distribution
				f, grad := fenced(classes, 3)
				want := make([]float64, classes)
				label := classes / 2
				what := title("classes ", classes, " smoothing ", smoothing)
				eps := float64(smoothing)

				hard := []float64{CrossEntropy(grad, logits, label, smoothing, 0.25), CrossEntropy(nil, logits, label, smoothing, 1)}
				loss := portable.CrossEntropy(want, wide(logits), label, eps, 0.25)
				compare(t, what, hard, []float64{loss, loss}, 1e-6)
				compare(t, what, grad, want, 1e-6)

				soft := []float64{SoftCrossEntropy(grad, logits, target, smoothing, 0.25), SoftCrossEntropy(nil, logits, target, smoothing, 1)}
				loss = portable.SoftCrossEntropy(want, wide(logits), wide(target), eps, 0.25)
				compare(t, what, soft, []float64{loss, loss}, 1e-6)
				compare(t, what, grad, want, 1e-6)
				f.check(t, what)
			}
		}
	})
}

// TestLossGradients holds the gradients against central differences.
func TestLossGradients(t *testing.T) {
	logits := []float64{0.3, -1.2, 2.5, 0, 1}
	target := []float64{0.1, 0.2, 0.4, 0.3, 0}
	for name, f := range map[string]func(grad, x []float64) float64{
		"cross entropy":        func(g, x []float64) float64 { return portable.CrossEntropy(g, x, 2, 0.1, 1) },
		"soft cross entropy":   func(g, x []float64) float64 { return portable.SoftCrossEntropy(g, x, target, 0.1, 1) },
		"binary cross entropy": func(g, x []float64) float64 { return portable.BinaryCrossEntropy(g, x, target, 1) },
	} {
		grad, scratch := make([]float64, len(logits)), make([]float64, len(logits))
		f(grad, logits)
		for i := range logits {
			const h = 1e-6
			up, down := append([]float64{}, logits...), append([]float64{}, logits...)
			up[i] += h
			down[i] -= h
			if want := (f(scratch, up) - f(scratch, down)) / (2 * h); math.Abs(grad[i]-want) > 1e-8 {
				t.Errorf("%s: gradient %d is %v, want %v", name, i, grad[i], want)
			}
		}
	}
}

func TestBinaryCrossEntropyLoss(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, n := range append(lengths(), 50_001) {
			x, target, grad := make([]float32, n), make([]float32, n), make([]float32, n)
			random(r, x)
			for i := range target {
				target[i] = r.Float32()
			}
			got := BinaryCrossEntropy(grad, x, target, 1)
			want := portable.BinaryCrossEntropy(make([]float64, n), wide(x), wide(target), 1)
			compare(t, title("loss of ", n), []float64{got}, []float64{want}, 1e-6)
		}
		// Far from zero the loss is exact on either side, however small.
		for _, x := range []float32{-90, -30, -5, 5, 30, 90} {
			got := BinaryCrossEntropy(make([]float32, 1), []float32{x}, []float32{max(0, min(x, 1))}, 1)
			if want := math.Log1p(math.Exp(-math.Abs(float64(x)))); math.Abs(got-want) > 1e-6*want+1e-38 {
				t.Errorf("loss at %v is %v, want %v", x, got, want)
			}
		}
	})
}
