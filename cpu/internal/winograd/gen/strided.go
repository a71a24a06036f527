package main

import "github.com/mmcloughlin/avo/reg"

// Filters of stride 2. Along an axis a result y meets the source x and the filter g as
//
//	y[i] = g[0]·x[2i] + g[2]·x[2i+2] + g[1]·x[2i+1]
//
// so that the even places of x meet a filter of two taps, the odd ones a filter of one.
// Both evaluate polynomials at a, -a, b and -b, the former at infinity, too: nine factors
// for four results, those of one point side by side. Point p has the even factor 2p and,
// but for infinity, the odd factor 2p+1. Scales are divided as for F(4x4).

// finite gives the factors of four places at the points a and -a, or b and -b. It
// changes z2 and z3.
func finite(o *ops, second bool, z0, z1, z2, z3 reg.VecVirtual, plus, minus func(v reg.VecVirtual)) {
	x, y, y2 := a, b, b2
	if second {
		x, y, y2 = b, a, a2
	}
	o.subMul(y2, z1, z3)
	o.mul(x, z2)
	o.subMul(y, z0, z2)
	plus(o.sum(z3, z2))
	o.sub(z2, z3)
	minus(z3)
}

// infinite gives the factor of five places at infinity. It changes z0 and z4.
func infinite(o *ops, z0, z2, z4 reg.VecVirtual, to func(v reg.VecVirtual)) {
	o.subMul(a2+b2, z2, z4)
	o.add(z0, z4)
	to(z4)
}

// results gives two of the four results of four products and, where it is not nil, the
// one at infinity: those of even number or those of odd.
func results(o *ops, odd bool, m1, m2, m3, m4, last reg.VecVirtual, to func(i int, v reg.VecVirtual), wanted func(i int) bool) {
	if odd {
		o.add(m2, m1)
		o.add(m4, m3)
		if wanted(1) {
			to(1, o.sum(m1, m3))
		}
		if wanted(3) {
			o.mul(a2, m1)
			o.addMul(b2, m3, m1)
			if last != nil {
				o.add(last, m1)
			}
			to(3, m1)
		}
		return
	}
	o.sub(m2, m1)
	o.sub(m4, m3)
	if wanted(0) {
		v := o.product(b, m1)
		o.addMul(a, m3, v)
		to(0, v)
	}
	if wanted(2) {
		o.mul(a, m1)
		o.addMul(b, m3, m1)
		to(2, m1)
	}
}

// shared tells whether two rows are wanted together.
func shared(wanted func(int) bool, i, j int) bool { return wanted(i) && wanted(j) }

var strided = stridedTile{
	tile: tile{
		input: matrix{
			in: 9, out: 9,
			few:       [][]int{{0}, {2}, {4}, {6}, {8}, {1}, {3}, {5}, {7}},
			many:      [][]int{{0, 2}, {4, 6}, {8}, {1, 3}, {5, 7}},
			constants: []float64{a, b, a2, b2, a2 + b2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				for phase := range 2 {
					for pair := range 2 {
						first := 4*pair + phase
						if !wanted(first) && !wanted(first+2) {
							continue
						}
						z2, z3 := d(4+phase), d(6+phase)
						if shared(wanted, 0, 4) && first < 5 { // of a row, all are wanted
							z2, z3 = o.copy(z2), o.copy(z3)
						}
						finite(o, pair == 1, d(phase), d(2+phase), z2, z3, either(wanted, to, first), either(wanted, to, first+2))
					}
				}
				if wanted(8) {
					infinite(o, d(0), d(4), d(8), func(v reg.VecVirtual) { to(8, v) })
				}
			},
		},
		weight: matrix{
			in: 3, out: 9,
			few:       [][]int{{0, 2, 8}, {4, 6}, {1, 3}, {5, 7}},
			many:      [][]int{{0, 2, 4, 6, 8}, {1, 3, 5, 7}},
			constants: []float64{g0, g1, -g1, g2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				for pair, c := range []struct{ even, odd float64 }{{-g1, g2}, {g1, g0}} {
					if row := 4 * pair; wanted(row) {
						plus := o.product(c.even, d(0))
						minus := o.copy(plus)
						if pair == 0 {
							o.subMul(c.odd, d(2), plus)
							o.addMul(c.odd, d(2), minus)
						} else {
							o.addMul(c.odd, d(2), plus)
							o.subMul(c.odd, d(2), minus)
						}
						to(row, plus)
						to(row+2, minus)
					}
					if row := 4*pair + 1; wanted(row) {
						v := o.product(c.even, d(1))
						to(row, v)
						to(row+2, v)
					}
				}
				if wanted(8) {
					to(8, d(2))
				}
			},
		},
		spread: matrix{
			in: 4, out: 5,
			few:       [][]int{{0, 1}, {2, 3}, {4}},
			many:      [][]int{{0, 1, 2, 3, 4}},
			constants: []float64{a, b, a2, b2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				pair := func(row int, x, y, x2 float64) {
					odd, even := o.product(y, d(0)), o.copy(d(1))
					o.addMul(x, d(2), odd)
					o.addMul(x2, d(3), even)
					to(row, o.sum(even, odd))
					o.sub(odd, even)
					to(row+1, even)
				}
				if wanted(0) {
					pair(0, a, b, a2)
				}
				if wanted(2) {
					pair(2, b, a, b2)
				}
				if wanted(4) {
					to(4, d(3))
				}
			},
		},
		output: matrix{
			in: 5, out: 4,
			few:       [][]int{{0, 2}, {1, 3}},
			many:      [][]int{{0, 2}, {1, 3}},
			constants: []float64{a, b, a2, b2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				both(o, wanted, func(m func(reg.VecVirtual) reg.VecVirtual, odd bool) {
					var last reg.VecVirtual
					if odd {
						last = d(4)
					}
					results(o, odd, m(d(0)), d(1), m(d(2)), d(3), last, to, wanted)
				})
			},
		},
		gradient: matrix{
			in: 9, out: 3,
			few:       [][]int{{0}, {1}, {2}},
			many:      [][]int{{0}, {1}, {2}},
			constants: []float64{g0, g1, g2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				for tap, phase := range []int{0, 1} {
					if !wanted(tap) {
						continue
					}
					v := o.sum(d(4+phase), d(6+phase))
					o.sub(d(phase), v)
					o.sub(d(2+phase), v)
					o.mul(g1, v)
					to(tap, v)
				}
				if wanted(2) {
					v, w := o.difference(d(4), d(6)), o.difference(d(0), d(2))
					o.mul(g0, v)
					o.subMul(g2, w, v)
					o.add(d(8), v)
					to(2, v)
				}
			},
		},
	},
	// The input gradient turns this around, and the filter. For padding of 1, pixel 2i of
	// it meets the middle tap and gradient i, pixel 2i+1 the others and gradients i and i+1.
	turnedInput: matrix{
		in: 5, out: 5,
		few:       [][]int{{0, 1}, {2, 3}, {4}},
		many:      [][]int{{0, 1, 2, 3}, {4}},
		constants: []float64{a, b, a2, b2, a2 + b2},
		apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
			for pair := range 2 {
				if wanted(2 * pair) {
					z2, z3 := d(2), d(3)
					if shared(wanted, 0, 2) {
						z2, z3 = o.copy(z2), o.copy(z3)
					}
					finite(o, pair == 1, d(0), d(1), z2, z3, either(wanted, to, 2*pair), either(wanted, to, 2*pair+1))
				}
			}
			if wanted(4) {
				infinite(o, d(0), d(2), d(4), func(v reg.VecVirtual) { to(4, v) })
			}
		},
	},
	turnedOutput: matrix{
		in: 9, out: 8,
		few:       [][]int{{0}, {4}, {2}, {6}, {1}, {5}, {3}, {7}},
		many:      [][]int{{0, 4}, {2, 6}, {1, 5}, {3, 7}},
		constants: []float64{a, b, a2, b2},
		apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
			for phase := range 2 { // of the factors; the pixels are the other way round
				pixel := func(i int) int { return 2*i + 1 - phase }
				both(o, func(i int) bool { return wanted(pixel(i)) }, func(m func(reg.VecVirtual) reg.VecVirtual, odd bool) {
					var last reg.VecVirtual
					if odd && phase == 0 {
						last = d(8)
					}
					results(o, odd, m(d(phase)), d(2+phase), m(d(4+phase)), d(6+phase), last,
						func(i int, v reg.VecVirtual) { to(pixel(i), v) }, func(i int) bool { return wanted(pixel(i)) })
				})
			}
		},
	},
}

type stridedTile struct {
	tile
	turnedInput, turnedOutput matrix
}

// either hands a value on if its row is wanted.
func either(wanted func(int) bool, to func(int, reg.VecVirtual), row int) func(reg.VecVirtual) {
	return func(v reg.VecVirtual) {
		if wanted(row) {
			to(row, v)
		}
	}
}

// both calls f for the results of even and of odd number, as far as they are wanted; where
// both are, the first has to change copies.
func both(o *ops, wanted func(int) bool, f func(m func(reg.VecVirtual) reg.VecVirtual, odd bool)) {
	even, odd := wanted(0) || wanted(2), wanted(1) || wanted(3)
	if even {
		m := func(v reg.VecVirtual) reg.VecVirtual { return v }
		if odd {
			m = o.copy
		}
		f(m, false)
	}
	if odd {
		f(func(v reg.VecVirtual) reg.VecVirtual { return v }, true)
	}
}
