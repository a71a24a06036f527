package vec

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// A flat kernel works element by element on slices of one length: outputs
// first, which it may read too.
type flat struct {
	name         string
	outs, slices int
	fast, want   func(s [][]float32)
	tolerance    float64
}

var flats = []flat{
	{"Add", 1, 3, func(s [][]float32) { Add(s[0], s[1], s[2]) }, func(s [][]float32) { portable.Add(s[0], s[1], s[2]) }, 0},
	{"Sub", 1, 3, func(s [][]float32) { Sub(s[0], s[1], s[2]) }, func(s [][]float32) { portable.Sub(s[0], s[1], s[2]) }, 0},
	{"Mul", 1, 3, func(s [][]float32) { Mul(s[0], s[1], s[2]) }, func(s [][]float32) { portable.Mul(s[0], s[1], s[2]) }, 0},
	{"MulAdd", 1, 3, func(s [][]float32) { MulAdd(s[0], s[1], s[2]) }, func(s [][]float32) { portable.MulAdd(s[0], s[1], s[2]) }, 2e-6},
	{"AddClip", 1, 3, func(s [][]float32) { AddClip(s[0], s[1], s[2], -.5, .75) }, func(s [][]float32) { portable.AddClip(s[0], s[1], s[2], -.5, .75) }, 0},
	{"ReLU", 1, 2, func(s [][]float32) { ReLU(s[0], s[1]) }, func(s [][]float32) { portable.ReLU(s[0], s[1]) }, 0},
	{"ReLUGrad", 1, 3, func(s [][]float32) { ReLUGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.ReLUGrad(s[0], s[1], s[2]) }, 0},
	{"Scale", 1, 2, func(s [][]float32) { Scale(s[0], s[1], 1.7) }, func(s [][]float32) { portable.Scale(s[0], s[1], 1.7) }, 0},
	{"Affine", 1, 2, func(s [][]float32) { Affine(s[0], s[1], 1.7, -.4) }, func(s [][]float32) { portable.Affine(s[0], s[1], 1.7, -.4) }, 1e-6},
	{"Axpy", 1, 2, func(s [][]float32) { Axpy(s[0], s[1], 1.7) }, func(s [][]float32) { portable.Axpy(s[0], s[1], 1.7) }, 2e-6},
	{"Lerp", 1, 2, func(s [][]float32) { Lerp(s[0], s[1], .3) }, func(s [][]float32) { portable.Lerp(s[0], s[1], .3) }, 1e-6},
	{"Fill", 1, 1, func(s [][]float32) { Fill(s[0], 2.5) }, func(s [][]float32) { portable.Fill(s[0], 2.5) }, 0},
	{"Exp", 1, 2, func(s [][]float32) { Exp(s[0], s[1]) }, func(s [][]float32) { portable.Exp(s[0], s[1]) }, 3e-7},
	{"Log", 1, 2, func(s [][]float32) { Log(s[0], s[1]) }, func(s [][]float32) { portable.Log(s[0], s[1]) }, 3e-7},
	{"Sigmoid", 1, 2, func(s [][]float32) { Sigmoid(s[0], s[1]) }, func(s [][]float32) { portable.Sigmoid(s[0], s[1]) }, 3e-7},
	{"SigmoidGrad", 1, 3, func(s [][]float32) { SigmoidGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.SigmoidGrad(s[0], s[1], s[2]) }, 5e-6},
	{"Tanh", 1, 2, func(s [][]float32) { Tanh(s[0], s[1]) }, func(s [][]float32) { portable.Tanh(s[0], s[1]) }, 3e-7},
	{"TanhGrad", 1, 3, func(s [][]float32) { TanhGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.TanhGrad(s[0], s[1], s[2]) }, 5e-6},
	{"SiLU", 1, 2, func(s [][]float32) { SiLU(s[0], s[1], 1.702) }, func(s [][]float32) { portable.SiLU(s[0], s[1], 1.702) }, 1e-6},
	{"SiLUGrad", 1, 3, func(s [][]float32) { SiLUGrad(s[0], s[1], s[2], 1) }, func(s [][]float32) { portable.SiLUGrad(s[0], s[1], s[2], 1) }, 3e-6},
	{"Softplus", 1, 2, func(s [][]float32) { Softplus(s[0], s[1]) }, func(s [][]float32) { portable.Softplus(s[0], s[1]) }, 3e-7},
	{"SoftplusGrad", 1, 3, func(s [][]float32) { SoftplusGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.SoftplusGrad(s[0], s[1], s[2]) }, 3e-6},
	{"Mish", 1, 2, func(s [][]float32) { Mish(s[0], s[1]) }, func(s [][]float32) { portable.Mish(s[0], s[1]) }, 1e-6},
	{"MishGrad", 1, 3, func(s [][]float32) { MishGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.MishGrad(s[0], s[1], s[2]) }, 3e-6},
	{"GELU", 1, 2, func(s [][]float32) { GELU(s[0], s[1]) }, func(s [][]float32) { portable.GELU(s[0], s[1]) }, 1e-6},
	{"GELUGrad", 1, 3, func(s [][]float32) { GELUGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.GELUGrad(s[0], s[1], s[2]) }, 5e-6},
	{"GELUTanh", 1, 2, func(s [][]float32) { GELUTanh(s[0], s[1]) }, func(s [][]float32) { portable.GELUTanh(s[0], s[1]) }, 1e-6},
	{"GELUTanhGrad", 1, 3, func(s [][]float32) { GELUTanhGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.GELUTanhGrad(s[0], s[1], s[2]) }, 5e-6},
	{"HardSigmoid", 1, 2, func(s [][]float32) { HardSigmoid(s[0], s[1]) }, func(s [][]float32) { portable.HardSigmoid(s[0], s[1]) }, 3e-7},
	{"HardSigmoidGrad", 1, 3, func(s [][]float32) { HardSigmoidGrad(s[0], s[1], s[2]) }, func(s [][]float32) { portable.HardSigmoidGrad(s[0], s[1], s[2]) }, 3e-7},
	{"HardGate", 1, 2, func(s [][]float32) { HardGate(s[0], s[1], -3, 3) }, func(s [][]float32) { portable.HardGate(s[0], s[1], -3, 3) }, 3e-7},
	{"HardGateGrad", 1, 3, func(s [][]float32) { HardGateGrad(s[0], s[1], s[2], -2, 0) }, func(s [][]float32) { portable.HardGateGrad(s[0], s[1], s[2], -2, 0) }, 3e-6},
	{"Clip", 1, 2, func(s [][]float32) { Clip(s[0], s[1], 0, 6) }, func(s [][]float32) { portable.Clip(s[0], s[1], 0, 6) }, 0},
	{"ClipGrad", 1, 3, func(s [][]float32) { ClipGrad(s[0], s[1], s[2], -1, 1) }, func(s [][]float32) { portable.ClipGrad(s[0], s[1], s[2], -1, 1) }, 0},
	{"LeakyReLU", 1, 2, func(s [][]float32) { LeakyReLU(s[0], s[1], .01) }, func(s [][]float32) { portable.LeakyReLU(s[0], s[1], .01) }, 0},
	{"LeakyReLUGrad", 1, 3, func(s [][]float32) { LeakyReLUGrad(s[0], s[1], s[2], .01) }, func(s [][]float32) { portable.LeakyReLUGrad(s[0], s[1], s[2], .01) }, 1e-7},
	{"ELU", 1, 2, func(s [][]float32) { ELU(s[0], s[1], 1.05, 1.67, 2) }, func(s [][]float32) { portable.ELU(s[0], s[1], 1.05, 1.67, 2) }, 5e-7},
	{"ELUGrad", 1, 3, func(s [][]float32) { ELUGrad(s[0], s[1], s[2], 1.05, 1.67, 2) }, func(s [][]float32) { portable.ELUGrad(s[0], s[1], s[2], 1.05, 1.67, 2) }, 3e-6},
	{"SGDStep", 1, 2, func(s [][]float32) { SGDStep(plainSGD, s[0], nil, s[1]) }, func(s [][]float32) { portable.SGDStep(plainSGD, s[0], nil, s[1]) }, 2e-6},
	{"SGDStep momentum", 2, 3, func(s [][]float32) { SGDStep(dampedSGD, s[0], s[1], s[2]) }, func(s [][]float32) { portable.SGDStep(dampedSGD, s[0], s[1], s[2]) }, 2e-6},
	{"SGDStep Nesterov", 2, 3, func(s [][]float32) { SGDStep(nesterovSGD, s[0], s[1], s[2]) }, func(s [][]float32) { portable.SGDStep(nesterovSGD, s[0], s[1], s[2]) }, 2e-6},
	{"SGDStep first", 2, 3, func(s [][]float32) { SGDStep(firstSGD, s[0], s[1], s[2]) }, func(s [][]float32) { portable.SGDStep(firstSGD, s[0], s[1], s[2]) }, 2e-6},
	{"AdamStep", 3, 4, func(s [][]float32) { AdamStep(adamL2, s[0], s[1], s[2], s[3]) }, func(s [][]float32) { portable.AdamStep(adamL2, s[0], s[1], s[2], s[3]) }, 1e-5},
	{"AdamStep decoupled", 3, 4, func(s [][]float32) { AdamStep(adamW, s[0], s[1], s[2], s[3]) }, func(s [][]float32) { portable.AdamStep(adamW, s[0], s[1], s[2], s[3]) }, 1e-5},
	{"AdamStep Nesterov", 3, 4, func(s [][]float32) { AdamStep(nadamW, s[0], s[1], s[2], s[3]) }, func(s [][]float32) { portable.AdamStep(nadamW, s[0], s[1], s[2], s[3]) }, 1e-5},
	{"AdamStep rectified", 3, 4, func(s [][]float32) { AdamStep(radam, s[0], s[1], s[2], s[3]) }, func(s [][]float32) { portable.AdamStep(radam, s[0], s[1], s[2], s[3]) }, 1e-5},
	{"AdamWeights", 3, 3, func(s [][]float32) { AdamWeights(adamW, s[0], s[1], s[2]) }, func(s [][]float32) { portable.AdamWeights(adamW, s[0], s[1], s[2]) }, 1e-5},
	{"LionStep", 2, 3, func(s [][]float32) { LionStep(plainLion, s[0], s[1], s[2]) }, func(s [][]float32) { portable.LionStep(plainLion, s[0], s[1], s[2]) }, 1e-5},
	{"RMSPropStep", 3, 3, func(s [][]float32) { RMSPropStep(plainRMS, s[0], s[2], nil, s[1]) }, func(s [][]float32) { portable.RMSPropStep(plainRMS, s[0], s[2], nil, s[1]) }, 1e-5},
	{"RMSPropStep momentum", 3, 4, func(s [][]float32) { RMSPropStep(plainRMS, s[0], s[2], s[1], s[3]) }, func(s [][]float32) { portable.RMSPropStep(plainRMS, s[0], s[2], s[1], s[3]) }, 1e-5},
	{"AdamDirection", 3, 5, func(s [][]float32) { AdamDirection(adamW, s[0], s[1], s[2], s[3], s[4]) }, func(s [][]float32) { portable.AdamDirection(adamW, s[0], s[1], s[2], s[3], s[4]) }, 1e-5},
	{"BinaryCrossEntropy", 1, 3, func(s [][]float32) { BinaryCrossEntropy(s[0], s[1], s[2], .5) }, func(s [][]float32) { portable.BinaryCrossEntropy(s[0], s[1], s[2], .5) }, 1e-6},
}

var (
	plainSGD    = SGD{LR: .1, WeightDecay: .01, GradScale: .5}
	dampedSGD   = SGD{LR: .1, WeightDecay: .01, GradScale: .5, Momentum: .9, Dampening: .3}
	nesterovSGD = SGD{LR: .1, WeightDecay: .01, GradScale: 2, Momentum: .9, Nesterov: true}
	firstSGD    = SGD{LR: .1, GradScale: 1, Momentum: .9, Dampening: .3, First: true}
	adamL2      = Adam{LR: .01, WeightDecay: .1, GradScale: .5, Beta1: .9, Beta2: .999, Eps: 1e-8, Step: 3}
	adamW       = Adam{LR: .01, WeightDecay: .1, GradScale: 1, Beta1: .9, Beta2: .99, Eps: 1e-6, Decoupled: true, Step: 7}
	nadamW      = Adam{LR: .01, WeightDecay: .1, GradScale: 1, Beta1: .9, Beta2: .99, Eps: 1e-6, Decoupled: true, Nesterov: true, Step: 7}
	radam       = Adam{LR: .01, WeightDecay: .1, GradScale: 1, Beta1: .9, Beta2: .99, Eps: 1e-6, Rectified: true, Step: 9}
	plainLion   = Lion{LR: .01, WeightDecay: .1, GradScale: .5, Beta1: .9, Beta2: .99}
	plainRMS    = RMSProp{LR: .01, WeightDecay: .1, GradScale: .5, Alpha: .9, Eps: 1e-3, Momentum: .9}
)

// prepare makes inputs valid: of three outputs, which are weights and an
// optimizer's moments, the last is a square.
func (k flat) prepare(s [][]float32) {
	if k.outs == 3 {
		Mul(s[2], s[2], s[2])
	}
}

func TestFlatKernels(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, k := range flats {
			t.Run(k.name, func(t *testing.T) {
				r := newRand()
				for at, n := range lengths() {
					var fences []*fence
					var got, want [][]float32
					for i := range k.slices {
						f, x := fenced(n, (at+3*i)%5)
						random(r, x)
						fences, got = append(fences, f), append(got, x)
					}
					k.prepare(got)
					for _, x := range got {
						want = append(want, append([]float32{}, x...))
					}
					k.fast(got)
					k.want(want)
					for i := range got {
						what := title(k.name, " slice ", i)
						tolerance := k.tolerance
						if i >= k.outs {
							tolerance = 0
						}
						compare(t, what, got[i], want[i], tolerance)
						fences[i].check(t, what)
					}
				}
			})
		}
	})
}

// TestInPlace writes every output over an input.
func TestInPlace(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, k := range flats {
			if k.outs != 1 || k.slices == 1 {
				continue
			}
			r := newRand()
			const n = 133
			var got, want [][]float32
			for range k.slices - 1 {
				x := make([]float32, n)
				random(r, x)
				got, want = append(got, x), append(want, append([]float32{}, x...))
			}
			k.fast(append([][]float32{got[0]}, got...))
			k.want(append([][]float32{want[0]}, want...))
			compare(t, k.name, got[0], want[0], k.tolerance)
		}
	})
}

var specials = []float32{
	float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1)),
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1e-39, -1e-39, math.MaxFloat32, -math.MaxFloat32,
	1, -1, 3, -3, 6, -2, 88.72283, 88.8, -87.4, -103.9, -150, 100, -100, 1e-8, -1e-8, 0.625, -0.625, 20, -20,
}

// TestSpecialValues feeds special values to each input in turn. Where an
// infinity meets a zero the definition gives NaN: there a kernel may give the
// limit, and the other way round.
func TestSpecialValues(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, k := range flats {
			for special := range k.slices {
				for _, s := range specials {
					k.testSpecial(t, special, s)
				}
			}
		}
	})
}

func (k flat) testSpecial(t *testing.T, input int, s float32) {
	const n = 11
	var got, want [][]float32
	for i := range k.slices {
		x := make([]float32, n)
		Fill(x, .5)
		if i == input {
			x[0], x[4], x[10] = s, s, s // x[10] is in the tail
		}
		got, want = append(got, x), append(want, append([]float32{}, x...))
	}
	k.fast(got)
	k.want(want)
	for i := range k.outs {
		for j := range n {
			g, w := float64(got[i][j]), float64(want[i][j])
			if math.IsInf(float64(s), 0) && (math.IsNaN(w) || math.IsNaN(g)) {
				continue
			}
			if !same(g, w, max(k.tolerance, 1e-6)) {
				t.Errorf("%s with %v in slice %d: slice %d element %d is %v, want %v", k.name, s, input, i, j, g, w)
			}
		}
	}
}

func TestReductions(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for at, n := range lengths() {
			_, a := fenced(n, at%5)
			_, b := fenced(n, at%3)
			random(r, a)
			random(r, b)
			compare(t, title("sums of ", n), []float64{Sum(a), SumSquares(a), Dot(a, b), float64(Max(a))},
				[]float64{portable.Sum(a), portable.SumSquares(a), portable.Dot(a, b), float64(portable.Max(a))}, 1e-12)
			if !AllFinite(a) {
				t.Fatalf("AllFinite of %d finite elements is false", n)
			}
			for i := range a {
				for _, bad := range specials[:3] {
					old := a[i]
					a[i] = bad
					if AllFinite(a) {
						t.Fatalf("AllFinite with %v at %d of %d is true", bad, i, n)
					}
					if m := Max(a); math.IsNaN(float64(bad)) != (m != m) {
						t.Fatalf("Max with %v at %d of %d is %v", bad, i, n, m)
					}
					a[i] = old
				}
				if n > 127 && i > 3 {
					break
				}
			}
			for i := range a {
				a[i] -= 1e6
			}
			if n > 0 && Max(a) != portable.Max(a) {
				t.Fatalf("Max of negative numbers is %v, want %v", Max(a), portable.Max(a))
			}
		}
	})
}

// TestSumsOfManyElements holds sums over 1e7 elements against exact ones.
func TestSumsOfManyElements(t *testing.T) {
	const n = 10_000_000
	x := make([]float32, n)
	Fill(x, 0.1)
	v := float64(float32(0.1))
	compare(t, "sums", []float64{Sum(x) / n, SumSquares(x) / n}, []float64{v, v * v}, 1e-9)
}
