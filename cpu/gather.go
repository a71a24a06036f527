package cpu

import "github.com/seed52467199/trainer/graph/op"

// rowsOf is the number of blocks of rows of a value (..., R, C), of rows in each, and
// of elements in a row.
func rowsOf(x op.Shape) (blocks, rows, width int) {
	n := len(x)
	return op.Size(x[:n-2]), x[n-2], x[n-1]
}

func gather[T element](c op.Call, o op.Gather) plan {
	blocks, source, width := rowsOf(c.In[0])
	return overRows(rows(blocks*len(o.Index), width), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				to, from := y[i*width:][:width], o.Index[i%len(o.Index)]
				if from < 0 {
					clear(to)
					continue
				}
				copy(to, x[(i/len(o.Index)*source+from)*width:])
			}
		}
	})
}

// gatherGrad goes by the rows of the result, so that each has its sum to itself.
func gatherGrad[T number](c op.Call, o op.GatherGrad) plan {
	blocks, given, width := rowsOf(c.In[0])
	takers := make([][]int, o.Rows)
	for i, r := range o.Index {
		if r >= 0 {
			takers[r] = append(takers[r], i)
		}
	}
	return overRows(rows(blocks*o.Rows, width), func(m operands) func(lo, hi int) {
		dy, dx := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				to, block := dx[i*width:][:width], i/o.Rows*given
				for k, taker := range takers[i%o.Rows] {
					from := dy[(block+taker)*width:][:width]
					if k == 0 {
						copy(to, from)
						continue
					}
					for j, v := range from {
						to[j] += v
					}
				}
				if len(takers[i%o.Rows]) == 0 {
					clear(to)
				}
			}
		}
	})
}

// permute moves pieces of neighbours that stay neighbours; rows of the result that the
// input has far apart are taken in blocks, so that what is read is used while it is in
// the cache.
func permute[T element](c op.Call, o op.Permute) plan {
	x, y := c.In[0], c.Out[0]
	steps := make([]int, len(x)) // of the input's axes
	n := 1
	for i := len(x) - 1; i >= 0; i-- {
		steps[i] = n
		n *= x[i]
	}
	piece, axes := 1, len(y)
	for axes > 0 && o.Axes[axes-1] == axes-1 {
		axes--
		piece *= x[axes]
	}
	if axes == 0 {
		return copied(c)
	}
	// The last axis that moves is the inner loop.
	inner, step := y[axes-1], steps[o.Axes[axes-1]]
	offset := func(i int) (at int) {
		for k := axes - 2; k >= 0; k-- {
			at += i % y[k] * steps[o.Axes[k]]
			i /= y[k]
		}
		return at
	}
	return overRows(rows(op.Size(y[:axes-1]), inner*piece), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			if piece > 1 {
				for i := lo; i < hi; i++ {
					from, to := offset(i), y[i*inner*piece:]
					for j := range inner {
						copy(to[j*piece:][:piece], x[from+j*step:])
					}
				}
				return
			}
			const block = 16
			for ; lo < hi; lo += block {
				var from [block]int
				count := min(block, hi-lo)
				for i := range count {
					from[i] = offset(lo + i)
				}
				for j := range inner {
					for i, at := range from[:count] {
						y[(lo+i)*inner+j] = x[at+j*step]
					}
				}
			}
		}
	})
}
