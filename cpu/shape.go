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

func concat[T element](c op.Call, o op.Concat) plan {
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

// pieces is how a slice of an axis lies in the whole: a piece of so many
// neighbouring elements for each row of the part, and where each begins. Without a
// stride, a row's whole part of the axis is one piece.
type pieces struct {
	outer, perRow int // rows before the axis, pieces in each
	length        int // elements of a piece
	row           int // elements of a row of the whole
	start, step   int // of a row's first piece; from piece to piece
}

func piecesOf(whole op.Shape, axis, part, start, stride int) pieces {
	outer, inner := around(whole, axis)
	p := pieces{outer: outer, row: whole[axis] * inner, start: start * inner}
	if stride <= 1 {
		p.perRow, p.length = 1, part*inner
	} else {
		p.perRow, p.length, p.step = part, inner, stride*inner
	}
	return p
}

// at is where piece i begins in the whole.
func (p *pieces) at(i int) int { return i/p.perRow*p.row + p.start + i%p.perRow*p.step }

func slice[T element](c op.Call, o op.Slice) plan {
	p := piecesOf(c.In[0], o.Axis, c.Out[0][o.Axis], o.Start, o.Stride)
	return overRows(rows(p.outer*p.perRow, p.length), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				copy(y[i*p.length:][:p.length], x[p.at(i):])
			}
		}
	})
}

func sliceGrad[T element](c op.Call, o op.SliceGrad) plan {
	p := piecesOf(c.Out[0], o.Axis, c.In[0][o.Axis], o.Start, o.Stride)
	return overRows(rows(p.outer, p.row), func(m operands) func(lo, hi int) {
		dy, dx := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			clear(dx[lo*p.row : hi*p.row])
			for i := lo * p.perRow; i < hi*p.perRow; i++ {
				copy(dx[p.at(i):][:p.length], dy[i*p.length:])
			}
		}
	})
}
