package cpu

import "github.com/seed52467199/trainer/graph/op"

// basisOf is the basis of a spectral pool of maps x in the kernel's numbers.
func basisOf[T number](o op.SpectralPool, x op.Shape) []T {
	wide := o.Basis(x[1], x[2], x[3])
	basis := make([]T, len(wide))
	for i, v := range wide {
		basis[i] = T(v)
	}
	return basis
}

// spectralPool sums one image at a time; dot adds the rows of the product of a map and
// the basis to sums.
func spectralPool[T number](c op.Call, o op.SpectralPool, dot func(sums []float64, x, basis []T)) plan {
	x, basis := c.In[0], basisOf[T](o, c.In[0])
	ch := x[3]
	return plan{scratch: 8 * x[0] * ch, bind: func(m operands) []stage {
		in, y, all := as[T](m.in[0]), as[T](m.out[0]), as[float64](m.scratch)
		return []stage{each(x[0]).stage(func(lo, hi int) {
			for n := lo; n < hi; n++ {
				sums := all[n*ch:][:ch]
				clear(sums)
				dot(sums, in[n*len(basis):][:len(basis)], basis)
				for k, s := range sums {
					y[n*ch+k] = T(s)
				}
			}
		})}
	}}
}

// spectralPoolGrad spreads one image's gradient at a time: spread is the basis with its
// channels multiplied.
func spectralPoolGrad[T number](c op.Call, o op.SpectralPoolGrad, spread func(dx, basis, dy []T)) plan {
	basis, ch := basisOf[T](o.SpectralPool, c.Out[0]), c.In[0][1]
	return overRows(each(c.In[0][0]), func(m operands) func(lo, hi int) {
		dy, dx := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for n := lo; n < hi; n++ {
				spread(dx[n*len(basis):][:len(basis)], basis, dy[n*ch:][:ch])
			}
		}
	})
}

func portableDot[T number](sums []float64, x, basis []T) {
	for i, v := range x {
		sums[i%len(sums)] += float64(v) * float64(basis[i])
	}
}

func portableSpread[T number](dx, basis, dy []T) {
	for i, v := range basis {
		dx[i] = v * dy[i%len(dy)]
	}
}
