package cpu

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

func clampGrads[T number](c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		g, how := as[T](m.in[0]), as[float64](m.in[1])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				g[i] = T(max(-how[1], min(how[0]*float64(g[i]), how[1])))
			}
		}
	})
}

// Constants of adaptive clipping, which timm calls eps too.
const (
	agcLeastWeight = 1e-3
	agcLeastGrad   = 1e-6
)

// adaptiveClip does a block of neighbouring outputs at a time, a cache line where
// outputs lie beside each other.
func adaptiveClip[T number](c op.Call, o op.AdaptiveClip) (plan, error) {
	type block struct {
		op.Units
		lo, hi int
	}
	var blocks []block
	for i, u := range o.Units {
		if end := u.Offset + (u.Count-1)*u.Stride + (u.Len-1)*u.Step; u.Offset < 0 || end >= op.Size(c.In[0]) {
			return plan{}, fmt.Errorf("unit %d ends at %d, outside the %d parameters", i, end, op.Size(c.In[0]))
		}
		for lo := 0; lo < u.Count; lo += channelBlock {
			blocks = append(blocks, block{u, lo, min(lo+channelBlock, u.Count)})
		}
	}
	return overRows(each(len(blocks)), func(m operands) func(lo, hi int) {
		g, w, how := as[T](m.in[0]), as[T](m.in[1]), as[float64](m.in[2])
		return func(lo, hi int) {
			for _, b := range blocks[lo:hi] {
				var weights, grads [channelBlock]float64
				eachOf(b.Units, b.lo, b.hi, func(i, at int) {
					x, d := float64(w[at]), how[0]*float64(g[at])
					weights[i-b.lo] += x * x
					grads[i-b.lo] += d * d
				})
				for i := range weights {
					most, norm := how[1]*max(math.Sqrt(weights[i]), agcLeastWeight), math.Sqrt(grads[i])
					grads[i] = how[0]
					if norm >= most {
						grads[i] *= most / max(norm, agcLeastGrad)
					}
				}
				eachOf(b.Units, b.lo, b.hi, func(i, at int) { g[at] = T(grads[i-b.lo] * float64(g[at])) })
			}
		}
	}), nil
}

// eachOf visits the elements of the outputs [lo, hi): those of neighbouring outputs that
// lie beside each other together.
func eachOf(u op.Units, lo, hi int, visit func(i, at int)) {
	if u.Stride > u.Step {
		for i := lo; i < hi; i++ {
			for k := range u.Len {
				visit(i, u.Offset+i*u.Stride+k*u.Step)
			}
		}
		return
	}
	for k := range u.Len {
		for i := lo; i < hi; i++ {
			visit(i, u.Offset+i*u.Stride+k*u.Step)
		}
	}
}
