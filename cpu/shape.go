package cpu

import "github.com/seed52467199/trainer/graph/op"

// copied is the plan of an operation whose result is its input's elements in
// order. Where both are one memory it moves nothing.
func copied(c op.Call) plan {
	bytes := op.Size(c.In[0]) * c.DType.Bytes()
	return elementwise(bytes, func(m operands) func(lo, hi int) {
		x, y := m.in[0], m.out[0]
		return func(lo, hi int) {
			if &x[lo] != &y[lo] {
				copy(y[lo:hi], x[lo:hi])
			}
		}
	})
}

// around is the number of rows of a value before an axis and of elements after it.
func around(s op.Shape, axis int) (outer, inner int) {
	return op.Size(s[:axis]), op.Size(s[axis+1:])
}

func concat[T number](c op.Call, o op.Concat) plan {
	outer, inner := around(c.Out[0], o.Axis)
	row := c.Out[0][o.Axis] * inner
	return overRows(rows(outer, row), func(m operands) func(lo, hi int) {
		y := as[T](m.out[0])
		parts := make([][]T, len(m.in))
		for i := range parts {
			parts[i] = as[T](m.in[i])
		}
		return func(lo, hi int) {
			for r := lo; r < hi; r++ {
				to := y[r*row:][:row]
				for i, x := range parts {
					n := c.In[i][o.Axis] * inner
					copy(to, x[r*n:][:n])
					to = to[n:]
				}
			}
		}
	})
}

func slice[T number](c op.Call, o op.Slice) plan {
	outer, inner := around(c.In[0], o.Axis)
	from, to := c.In[0][o.Axis], c.Out[0][o.Axis]
	return overRows(rows(outer*to, inner), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for r := lo; r < hi; r++ {
				at := r/to*from + o.Start + r%to*max(o.Stride, 1)
				copy(y[r*inner:][:inner], x[at*inner:])
			}
		}
	})
}

func sliceGrad[T number](c op.Call, o op.SliceGrad) plan {
	outer, inner := around(c.Out[0], o.Axis)
	from, to := c.In[0][o.Axis], o.Size
	return overRows(rows(outer, to*inner), func(m operands) func(lo, hi int) {
		dy, dx := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			clear(dx[lo*to*inner : hi*to*inner])
			for r := lo * from; r < hi*from; r++ {
				at := r/from*to + o.Start + r%from*max(o.Stride, 1)
				copy(dx[at*inner:][:inner], dy[r*inner:])
			}
		}
	})
}
