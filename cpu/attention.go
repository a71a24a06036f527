package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// heads is how the heads of packed queries, keys and values (N, L, 3*C) lie in memory.
type heads struct {
	samples, tokens, channels, number, depth int
	scale                                    float64
	regions                                  [][]int
}

func headsOf(x op.Shape, o op.Attention) heads {
	c := x[2] / 3
	return heads{x[0], x[1], c, o.Heads, c / o.Heads, o.Scale, o.Regions}
}

// query, key and value are where a token's part of head h begins in x, result where it
// does in the result.
func (s *heads) query(n, t, h int) int  { return (n*s.tokens+t)*3*s.channels + h*s.depth }
func (s *heads) key(n, t, h int) int    { return s.query(n, t, h) + s.channels }
func (s *heads) value(n, t, h int) int  { return s.query(n, t, h) + 2*s.channels }
func (s *heads) result(n, t, h int) int { return (n*s.tokens+t)*s.channels + h*s.depth }

// penalty is what the logit of two tokens of sample n is lower by.
func (s *heads) penalty(n, a, b int) float64 {
	if len(s.regions) == 0 {
		return 0
	}
	if r := s.regions[n%len(s.regions)]; r[a] == r[b] {
		return 0
	}
	return op.RegionPenalty
}

// logits computes head h's logits of one query of sample n.
func logits[T number](s *heads, to []float64, x, bias []T, n, t, h int) {
	for b := range to {
		var sum float64
		for d := range s.depth {
			sum += float64(x[s.query(n, t, h)+d]) * float64(x[s.key(n, b, h)+d])
		}
		to[b] = sum*s.scale - s.penalty(n, t, b)
		if bias != nil {
			to[b] += float64(bias[(h*s.tokens+t)*s.tokens+b])
		}
	}
}

func attention[T number](c op.Call, o op.Attention) plan {
	s := headsOf(c.In[0], o)
	return overRows(each(s.samples*s.number), func(m operands) func(lo, hi int) {
		x, y, logs := as[T](m.in[0]), as[T](m.out[0]), as[T](m.out[1])
		var bias []T
		if o.Bias {
			bias = as[T](m.in[1])
		}
		rows := make([]float64, s.samples*s.number*s.tokens)
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				n, h := i/s.number, i%s.number
				p := rows[i*s.tokens:][:s.tokens]
				for t := range s.tokens {
					logits(&s, p, x, bias, n, t, h)
					most, sum := math.Inf(-1), 0.0
					for _, v := range p {
						most = max(most, v)
					}
					for b, v := range p {
						p[b] = math.Exp(v - most)
						sum += p[b]
					}
					logs[i*s.tokens+t] = T(most + math.Log(sum))
					for d := range s.depth {
						var v float64
						for b := range p {
							v += p[b] * float64(x[s.value(n, b, h)+d])
						}
						y[s.result(n, t, h)+d] = T(v / sum)
					}
				}
			}
		}
	})
}

func attentionGrad[T number](c op.Call, o op.AttentionGrad) plan {
	s := headsOf(c.In[0], op.Attention(o))
	// A head at a time, so that each has its bias's gradient to itself.
	return overRows(each(s.number), func(m operands) func(lo, hi int) {
		x, y, logs, dy, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.in[3]), as[T](m.out[0])
		var bias, dbias []T
		if o.Bias {
			bias, dbias = as[T](m.in[4]), as[T](m.out[1])
		}
		rows := make([]float64, s.number*s.tokens)
		sums := make([]float64, s.samples*s.tokens*3*s.channels) // of dx
		biases := make([]float64, s.number*s.tokens*s.tokens)
		return func(lo, hi int) {
			for h := lo; h < hi; h++ {
				p, onBias := rows[h*s.tokens:][:s.tokens], biases[h*s.tokens*s.tokens:][:s.tokens*s.tokens]
				clear(onBias)
				for n := range s.samples {
					for t := range s.tokens {
						for part := range 3 {
							at := s.query(n, t, h) + part*s.channels
							clear(sums[at : at+s.depth])
						}
					}
					for t := range s.tokens {
						logits(&s, p, x, bias, n, t, h)
						var all float64
						for d := range s.depth {
							all += float64(dy[s.result(n, t, h)+d]) * float64(y[s.result(n, t, h)+d])
						}
						for b := range p {
							probability := math.Exp(p[b] - float64(logs[(n*s.number+h)*s.tokens+t]))
							var onP float64
							for d := range s.depth {
								g := float64(dy[s.result(n, t, h)+d])
								onP += g * float64(x[s.value(n, b, h)+d])
								sums[s.value(n, b, h)+d] += probability * g
							}
							onLogit := probability * (onP - all)
							onBias[t*s.tokens+b] += onLogit
							for d := range s.depth {
								sums[s.query(n, t, h)+d] += onLogit * s.scale * float64(x[s.key(n, b, h)+d])
								sums[s.key(n, b, h)+d] += onLogit * s.scale * float64(x[s.query(n, t, h)+d])
							}
						}
					}
					for t := range s.tokens {
						for part := range 3 {
							at := s.query(n, t, h) + part*s.channels
							for d := range s.depth {
								dx[at+d] = T(sums[at+d])
							}
						}
					}
				}
				for i, v := range onBias {
					if dbias != nil {
						dbias[h*s.tokens*s.tokens+i] = T(v)
					}
				}
			}
		}
	})
}
