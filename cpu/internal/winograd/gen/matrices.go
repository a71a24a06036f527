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
	// registers where the width has many; resident says that they do so in any.
	constants []float64
	resident  bool
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
	if w.wide() || m.resident {
		for _, c := range m.constants {
			o.registers[c] = w.vec()
			VMOVUPS(constant(c), o.registers[c])
		}
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

// mulAdd computes x = c·x + y.
func (o *ops) mulAdd(c float64, x, y reg.VecVirtual) {
	if v, ok := o.registers[c]; ok {
		VFMADD213PS(y, v, x)
		return
	}
	VFMADD132PS(constant(c), y, x)
}

// The matrices of Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks" (2016), by the names of package winograd's Tile. For F(2x2) the
// last row of Bᵀ and the last column of Aᵀ have the other sign, which saves a
// negation.
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
			constants: []float64{2, 4}, resident: true,
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				// The differences x42 and x31 are in six of the rows' sums.
				var x42, x31 reg.VecVirtual
				keep := wanted(1)
				take := func(y, x int) reg.VecVirtual {
					if keep {
						return o.difference(d(x), d(y))
					}
					o.sub(d(y), d(x))
					return d(x)
				}
				if wanted(0) {
					o.sub(d(2), d(0))
				}
				if wanted(0) || wanted(3) {
					x42 = take(2, 4)
				}
				if wanted(0) {
					o.mulAdd(4, d(0), x42)
					to(0, d(0))
				}
				if wanted(5) {
					o.sub(d(3), d(5))
				}
				if wanted(5) || wanted(3) {
					x31 = take(1, 3)
				}
				if wanted(5) {
					o.subMul(4, x31, d(5))
					to(5, d(5))
				}
				if wanted(3) {
					plus := o.copy(x42)
					o.addMul(2, x31, plus)
					to(3, plus)
					o.subMul(2, x31, x42)
					to(4, x42)
				}
				if wanted(1) {
					o.subMul(4, d(2), d(4))
					o.subMul(4, d(1), d(3))
					to(1, o.sum(d(4), d(3)))
					o.sub(d(3), d(4))
					to(2, d(4))
				}
			},
		},
		weight: matrix{
			in: 3, out: 6, few: [][]int{{1, 2}, {3, 4}, {0, 5}}, many: [][]int{{0, 1, 2, 3, 4, 5}},
			constants: []float64{-1. / 6, 1. / 6, 1. / 24, 1. / 12, 1. / 4},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(1) {
					s := o.sum(d(0), d(2))
					o.mul(-1./6, s)
					minus := o.copy(s)
					o.subMul(1./6, d(1), minus)
					to(1, minus)
					o.addMul(1./6, d(1), s)
					to(2, s)
				}
				if wanted(3) {
					s := o.copy(d(0))
					o.mul(1./24, s)
					o.addMul(1./6, d(2), s)
					plus := o.copy(s)
					o.addMul(1./12, d(1), plus)
					to(3, plus)
					o.subMul(1./12, d(1), s)
					to(4, s)
				}
				if wanted(0) {
					o.mul(1./4, d(0))
					to(0, d(0))
					to(5, d(2))
				}
			},
		},
		spread: matrix{
			in: 4, out: 6, few: [][]int{{1, 2}, {3, 4}, {0, 5}}, many: [][]int{{0, 1, 2, 3, 4, 5}},
			constants: []float64{2, 4},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(3) {
					even, odd := o.copy(d(0)), o.copy(d(1))
					o.addMul(4, d(2), even)
					o.addMul(4, d(3), odd)
					plus := o.copy(even)
					o.addMul(2, odd, plus)
					to(3, plus)
					o.subMul(2, odd, even)
					to(4, even)
				}
				if wanted(1) {
					o.add(d(0), d(2))
					o.add(d(3), d(1))
					to(1, o.sum(d(2), d(1)))
					o.sub(d(1), d(2))
					to(2, d(2))
				}
				if wanted(0) {
					to(0, d(0))
					to(5, d(3))
				}
			},
		},
		output: matrix{
			in: 6, out: 4, few: [][]int{{0, 2}, {1, 3}}, many: [][]int{{0, 1, 2, 3}},
			constants: []float64{2, 4, 8},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				var s12, s34 reg.VecVirtual
				switch {
				case wanted(0) && wanted(1):
					s12, s34 = o.sum(d(1), d(2)), o.sum(d(3), d(4))
				case wanted(0):
					o.add(d(2), d(1))
					o.add(d(4), d(3))
					s12, s34 = d(1), d(3)
				}
				if wanted(0) {
					o.add(s12, d(0))
					o.add(s34, d(0))
					to(0, d(0))
					o.addMul(4, s34, s12)
					to(2, s12)
				}
				if wanted(1) {
					o.sub(d(2), d(1))
					o.sub(d(4), d(3))
					o.addMul(8, d(3), d(5))
					o.add(d(1), d(5))
					to(3, d(5))
					o.addMul(2, d(3), d(1))
					to(1, d(1))
				}
			},
		},
		gradient: matrix{
			in: 6, out: 3, few: [][]int{{0, 2}, {1}}, many: [][]int{{0, 1, 2}},
			constants: []float64{1. / 6, 1. / 24, 1. / 12, 1. / 4},
			apply: func(o *ops, d func(int) reg.VecVirtual, wanted func(int) bool, to func(int, reg.VecVirtual)) {
				if wanted(0) {
					s12, s34 := o.sum(d(1), d(2)), o.sum(d(3), d(4))
					o.mul(1./4, d(0))
					o.subMul(1./6, s12, d(0))
					o.addMul(1./24, s34, d(0))
					to(0, d(0))
					o.sub(s12, s34)
					o.addMul(1./6, s34, d(5))
					to(2, d(5))
				}
				if wanted(1) {
					o.sub(d(1), d(2))
					o.sub(d(4), d(3))
					o.mul(1./6, d(2))
					o.addMul(1./12, d(3), d(2))
					to(1, d(2))
				}
			},
		},
	},
}
