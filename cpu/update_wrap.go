package cpu

import "github.com/seed52467199/trainer/graph/op"

func perturb[T number](c op.Call, o op.Perturb) (plan, error) {
	if err := checkState(c, 2); err != nil {
		return plan{}, err
	}
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		w, g, kept, rate := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[float64](m.in[3])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				kept[i] = w[i]
				d := rate[0] * float64(g[i])
				if o.Adaptive {
					d *= float64(w[i]) * float64(w[i])
				}
				w[i] = T(float64(w[i]) + d)
			}
		}
	}), nil
}

func lookahead[T number](c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		w, slow, how := as[T](m.in[0]), as[T](m.in[1]), as[float64](m.in[2])
		return func(lo, hi int) {
			if how[1] != 0 {
				copy(slow[lo:hi], w[lo:hi])
			}
			for i := lo; i < hi; i++ {
				slow[i] = mix(slow[i], float64(w[i]), how[0])
				w[i] = slow[i]
			}
		}
	})
}
