package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// matrix is a linear map of in values to out values, each value a vector of
// channels. A transform applies it to the columns of a square, then to the
// rows of what comes out.
type matrix struct {
	in, out int
	// apply computes the rows that wanted tells of. d gives an input, in a
	// register that apply may change; to takes a result as soon as it is there.
	apply func(o *ops, d func(i int) reg.VecVirtual, wanted func(row int) bool, to func(row int, v reg.VecVirtual))
	// constants are the factors that apply multiplies by. They wait in
	// registers where there are 32; those of resident do where there are 16.
	constants, resident []float64
	// few and many are the rows whose columns are computed together, as many as
	// 16 and 32 registers hold for all columns.
	few, many [][]int
}

func (m *matrix) groups(w isaWidth) [][]int {
	if w.wide() {
		return m.many
	}
	return m.few
}

// ops emits arithmetic. Products have a constant factor.
type ops struct {
	w         isaWidth
	registers map[float64]reg.VecVirtual
}

func newOps(w isaWidth, m *matrix) *ops {
	o := &ops{w, map[float64]reg.VecVirtual{}}
	waiting := m.resident
	if w.wide() {
		waiting = m.constants
	}
	for _, c := range waiting {
		o.registers[c] = w.vec()
		VMOVUPS(constant(c), o.registers[c])
	}
	return o
}

func (o *ops) constant(c float64) Op {
	if v, ok := o.registers[c]; ok {
		return v
	}
	return constant(c)
}

func (o *ops) copy(x reg.VecVirtual) reg.VecVirtual {
	v := o.w.vec()
	VMOVAPS(x, v)
	return v
}

func (o *ops) product(c float64, x reg.VecVirtual) reg.VecVirtual {
	v := o.w.vec()
	VMULPS(o.constant(c), x, v)
	return v
}

func (o *ops) sum(x, y reg.VecVirtual) reg.VecVirtual {
	v := o.w.vec()
	VADDPS(y, x, v)
	return v
}

func (o *ops) difference(x, y reg.VecVirtual) reg.VecVirtual {
	v := o.w.vec()
	VSUBPS(y, x, v)
	return v
}

func (o *ops) add(x, to reg.VecVirtual)               { VADDPS(x, to, to) }
func (o *ops) sub(x, from reg.VecVirtual)             { VSUBPS(x, from, from) }
func (o *ops) mul(c float64, x reg.VecVirtual)        { VMULPS(o.constant(c), x, x) }
func (o *ops) addMul(c float64, x, to reg.VecVirtual) { VFMADD231PS(o.constant(c), x, to) }
func (o *ops) subMul(c float64, x, from reg.VecVirtual) {
	VFNMADD231PS(o.constant(c), x, from)
}

// The matrices of Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks" (2016), by the names of package winograd's Tile.
//
// F(4x4) evaluates polynomials at 0, a, -a, b, -b and infinity. The usual points
// are 1 and 2; a = 2/3 and b = 3/2 round four times as finely, and as ab = 1
// they need few more operations. The columns of Aᵀ for a point are divided by
// it, for the same reason, and the rows of G multiplied.
//
// For F(2x2) the last row of Bᵀ and the last column of Aᵀ have the other sign,
// which saves a negation.
const (
	a  = 2. / 3
	b  = 3. / 2
	a2 = a * a
	b2 = b * b
	g0 = 27. / 65
	g1 = 18. / 65
	g2 = 12. / 65
)

type tile struct{ input, weight, spread, output, gradient matrix }

var tiles = []tile{
	{
		input: matrix{
			in: 4, out: 4, few: [][]int{{1, 2}, {0, 3}}, many: [][]int{{0, 1, 2, 3}},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(0) {
					o.sub(d(2), d(0))
					to(0, d(0))
				}
				if wanted(3) {
					o.sub(d(1), d(3))
					to(3, d(3))
				}
				if wanted(1) {
					to(1, o.sum(d(1), d(2)))
					o.sub(d(1), d(2))
					to(2, d(2))
				}
			},
		},
		weight: matrix{
			in: 3, out: 4, few: [][]int{{0, 1, 2, 3}}, many: [][]int{{0, 1, 2, 3}}, constants: []float64{1. / 2},
			apply: func(o *ops, d func(int) reg.VecVirtual, _ func(int) bool, to func(int, reg.VecVirtual)) {
				s := o.sum(d(0), d(2))
				o.mul(1./2, s)
				plus := o.copy(s)
				o.addMul(1./2, d(1), plus)
				to(1, plus)
				o.subMul(1./2, d(1), s)
				to(2, s)
				to(0, d(0))
				to(3, d(2))
			},
		},
		spread: matrix{
			in: 2, out: 4, few: [][]int{{0, 1, 2, 3}}, many: [][]int{{0, 1, 2, 3}},
			apply: func(o *ops, d func(int) reg.VecVirtual, _ func(int) bool, to func(int, reg.VecVirtual)) {
				to(1, o.sum(d(0), d(1)))
				to(2, o.difference(d(0), d(1)))
				to(0, d(0))
				to(3, d(1))
			},
		},
		output: matrix{
			in: 4, out: 2, few: [][]int{{0, 1}}, many: [][]int{{0, 1}},
			apply: func(o *ops, d func(int) reg.VecVirtual, _ func(int) bool, to func(int, reg.VecVirtual)) {
				o.add(d(1), d(0))
				o.add(d(2), d(0))
				to(0, d(0))
				o.sub(d(2), d(1))
				o.add(d(3), d(1))
				to(1, d(1))
			},
		},
		gradient: matrix{
			in: 4, out: 3, few: [][]int{{0, 1, 2}}, many: [][]int{{0, 1, 2}}, constants: []float64{1. / 2},
			apply: func(o *ops, d func(int) reg.VecVirtual, _ func(int) bool, to func(int, reg.VecVirtual)) {
				s := o.sum(d(1), d(2))
				o.addMul(1./2, s, d(0))
				to(0, d(0))
				o.sub(d(2), d(1))
				o.mul(1./2, d(1))
				to(1, d(1))
				o.addMul(1./2, s, d(3))
				to(2, d(3))
			},
		},
	},
	{
		input: matrix{
			in: 6, out: 6, few: [][]int{{1, 2}, {3, 4}, {0, 5}}, many: [][]int{{1, 2, 3, 4}, {0, 5}},
			constants: []float64{a, b, a2, b2, a2 + b2}, resident: []float64{a, b},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(0) {
					o.add(d(4), d(0))
					o.subMul(a2+b2, d(2), d(0))
					to(0, d(0))
					o.add(d(1), d(5))
					o.subMul(a2+b2, d(3), d(5))
					to(5, d(5))
				}
				if wanted(1) {
					even, odd := d(4), d(3)
					if wanted(3) {
						even, odd = o.copy(even), o.product(a, odd)
					} else {
						o.mul(a, odd)
					}
					o.subMul(b2, d(2), even)
					o.subMul(b, d(1), odd)
					to(1, o.sum(even, odd))
					o.sub(odd, even)
					to(2, even)
				}
				if wanted(3) {
					even, odd := d(4), d(3)
					o.mul(b, odd)
					o.subMul(a2, d(2), even)
					o.subMul(a, d(1), odd)
					to(3, o.sum(even, odd))
					o.sub(odd, even)
					to(4, even)
				}
			},
		},
		weight: matrix{
			in: 3, out: 6, few: [][]int{{1, 2}, {3, 4}, {0, 5}}, many: [][]int{{0, 1, 2, 3, 4, 5}},
			constants: []float64{g0, -g0, g1, g2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(1) {
					even := o.product(-g0, d(0))
					o.subMul(g2, d(2), even)
					minus := o.copy(even)
					o.subMul(g1, d(1), minus)
					to(1, minus)
					o.addMul(g1, d(1), even)
					to(2, even)
				}
				if wanted(3) {
					even := o.product(g2, d(0))
					o.addMul(g0, d(2), even)
					plus := o.copy(even)
					o.addMul(g1, d(1), plus)
					to(3, plus)
					o.subMul(g1, d(1), even)
					to(4, even)
				}
				if wanted(0) {
					to(0, d(0))
					to(5, d(2))
				}
			},
		},
		spread: matrix{
			in: 4, out: 6, few: [][]int{{1, 2}, {3, 4}, {0, 5}}, many: [][]int{{0, 1, 2, 3, 4, 5}},
			constants: []float64{a, b, a2, b2}, resident: []float64{a, b},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				pair := func(row int, x, y, y2 float64) {
					even, odd := o.product(y, d(0)), o.copy(d(1))
					o.addMul(x, d(2), even)
					o.addMul(y2, d(3), odd)
					to(row, o.sum(even, odd))
					o.sub(odd, even)
					to(row+1, even)
				}
				if wanted(1) {
					pair(1, a, b, a2)
				}
				if wanted(3) {
					pair(3, b, a, b2)
				}
				if wanted(0) {
					to(0, d(0))
					to(5, d(3))
				}
			},
		},
		output: matrix{
			in: 6, out: 4, few: [][]int{{0, 2}, {1, 3}}, many: [][]int{{0, 1, 2, 3}},
			constants: []float64{a, b, a2, b2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				var sums [2]reg.VecVirtual
				for i, k := range []int{1, 3} {
					switch {
					case wanted(0) && wanted(1):
						sums[i] = o.sum(d(k), d(k+1))
						o.sub(d(k+1), d(k))
					case wanted(0):
						o.add(d(k+1), d(k))
						sums[i] = d(k)
					default:
						o.sub(d(k+1), d(k))
					}
				}
				if wanted(0) {
					o.addMul(b, sums[0], d(0))
					o.addMul(a, sums[1], d(0))
					to(0, d(0))
					o.mul(a, sums[0])
					o.addMul(b, sums[1], sums[0])
					to(2, sums[0])
				}
				if wanted(1) {
					o.addMul(a2, d(1), d(5))
					o.addMul(b2, d(3), d(5))
					to(3, d(5))
					o.add(d(3), d(1))
					to(1, d(1))
				}
			},
		},
		gradient: matrix{
			in: 6, out: 3, few: [][]int{{0, 2}, {1}}, many: [][]int{{0, 1, 2}},
			constants: []float64{g0, g1, g2},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(0) {
					s12, s34 := o.sum(d(1), d(2)), o.sum(d(3), d(4))
					o.subMul(g0, s12, d(0))
					o.addMul(g2, s34, d(0))
					to(0, d(0))
					o.subMul(g2, s12, d(5))
					o.addMul(g0, s34, d(5))
					to(2, d(5))
				}
				if wanted(1) {
					o.sub(d(1), d(2))
					o.sub(d(4), d(3))
					o.add(d(3), d(2))
					o.mul(g1, d(2))
					to(1, d(2))
				}
			},
		},
	},
}
