package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

func normActivationGrad[T number](c op.Call, o op.NormActivationGrad) (plan, error) {
	f, err := functionOf(o.Func, o.Alpha)
	if err != nil {
		return plan{}, err
	}
	n, ch := columnsOf(c.In[0])
	return overRows(rows(n, ch), func(m operands) func(lo, hi int) {
		x, gamma, beta, mean, invStd := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.in[3]), as[T](m.in[4])
		dy, dx := as[T](m.in[5]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo * ch; i < hi*ch; i++ {
				k := i % ch
				dx[i] = T(f.slope(float64(T(normalised(x[i], mean[k], invStd[k], gamma[k], beta[k])))) * float64(dy[i]))
			}
		}
	}), nil
}

// fastNormActivationGrad makes the norm's results again for a few rows at a time, while
// they are in the first cache.
func fastNormActivationGrad(c op.Call, o op.NormActivationGrad, workers int) plan {
	_, grad := vectorFunction(o.Func, float32(o.Alpha))
	if grad == nil {
		return plan{}
	}
	n, ch := columnsOf(c.In[0])
	windows := streaming[float32](c, ch, workers)
	block := normRows(ch) * ch
	return plan{scratch: windows.scratch(3) + 4*block*workers + 2*4*ch, bind: func(m operands) []stage {
		gamma, beta, mean, invStd := floats(m.in[1]), floats(m.in[2]), floats(m.in[3]), floats(m.in[4])
		x, dy, dx := windows.input(&m, 0), windows.input(&m, 5), windows.result(&m, 0)
		again := cut[float32](&m.scratch, block*workers)
		scale, shift := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		return []stage{
			elements(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					scale[k], shift[k] = affine(gamma[k], beta[k], float64(mean[k]), float64(invStd[k]))
				}
			}),
			windows.over(rows(n, ch), func(w, lo, hi int) {
				in, d, out := x.take(w, lo, hi), dy.take(w, lo, hi), dx.room(w, lo, hi)
				for at := 0; at < len(in); at += block {
					to := min(len(in), at+block)
					y := again[w*block:][:to-at]
					vec.Normalize(y, in[at:to], scale, shift, noBounds[0], noBounds[1])
					grad(out[at:to], d[at:to], y)
				}
				dx.put(w, lo, hi)
			}),
		}
	}}
}
