package cpu

import "github.com/seed52467199/trainer/graph/op"

// mask decides what a dropping operation keeps in one forward pass: a stateless
// function of the run's seed, the operation's stream, the number of the pass and
// the element's index, so that any thread can ask about any element.
type mask struct {
	key   uint64 // of the seed, the stream and the pass
	least uint32 // an element is kept if its draw is at least this
}

func newMask(ctx *op.Context, p float64, stream uint64) mask {
	return mask{scramble(scramble(scramble(ctx.Seed)+stream) + ctx.Draw), uint32(p * (1 << 32))}
}

// keeps tells whether element i is kept. Two elements share a scrambled word, the
// first its lower half.
func (m mask) keeps(i int) bool { return m.draw(i) >= m.least }

// draw is element i's, from all numbers of 32 bits alike.
func (m mask) draw(i int) uint32 { return uint32(m.pair(i/2) >> (i % 2 * 32)) }

// pair holds the draws of elements 2i and 2i+1.
func (m mask) pair(i int) uint64 { return scramble(m.key + uint64(i)) }

// scramble is a step of SplitMix64 (Steele, Lea and Flood 2014) from state x: a
// bijection whose values for consecutive x pass for random.
func scramble(x uint64) uint64 {
	x = x*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func dropout[T number](c op.Call, o op.Dropout) plan {
	return dropping[T](c, o.P, o.Stream, 1)
}

func bernoulli[T number](c op.Call, o op.Bernoulli) plan {
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		ctx := m.ctx
		return func(lo, hi int) {
			mask := newMask(ctx, 0, o.Stream)
			for i := lo; i < hi; i++ {
				var v T
				if float64(mask.draw(i)) < float64(x[i])*(1<<32) {
					v = 1
				}
				y[i] = v
			}
		}
	})
}

func dropPath[T number](c op.Call, o op.DropPath) plan {
	n := 1
	if len(c.In[0]) > 0 {
		n = op.Size(c.In[0][1:])
	}
	return dropping[T](c, o.P, o.Stream, n)
}

// dropping makes one draw for each n elements.
func dropping[T number](c op.Call, p float64, stream uint64, n int) plan {
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		ctx, scale := m.ctx, T(1/(1-p))
		return func(lo, hi int) {
			mask := newMask(ctx, p, stream) // the pass is known when it runs
			for at, draw := lo, lo/n; at < hi; draw++ {
				end := min(hi, (draw+1)*n)
				keep := mask.keeps(draw)
				for ; at < end; at++ {
					var v T
					if keep {
						v = x[at] * scale
					}
					y[at] = v
				}
			}
		}
	})
}
