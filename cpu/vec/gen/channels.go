package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// perChannel is a kernel over rows of cols elements: streams (inputs, then
// outputs) go on from row to row, channels are read again for each row, scalars
// are the same in every lane. f stores its own results.
func perChannel(name, doc string, inputs, outputs, channels, scalars []string, f func(k *kernel, x, c, s []vector, out []reg.GPVirtual)) definition {
	params := list(outputs, inputs, channels) + " []float32, rows, cols int" + floats(scalars)
	return definition{name, doc, params, func(k *kernel) {
		in, out, ch := k.pointers(inputs), k.pointers(outputs), k.pointers(channels)
		rows, cols := k.integer("rows"), k.integer("cols")
		tail, s := k.tailMask(cols), k.scalars(params)
		k.repeat(rows, func() {
			k.eachMasked(cols, 2, tail, func() { f(k, k.loads(in), k.loads(ch), s, out) })
			for _, p := range append(in, out...) {
				k.advance(p, cols)
			}
		})
	}}
}

// list joins names into a parameter list.
func list(groups ...[]string) string {
	s := ""
	for _, g := range groups {
		for _, name := range g {
			if s != "" {
				s += ", "
			}
			s += name
		}
	}
	return s
}

// floats is the end of a parameter list with these float32s.
func floats(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", " + list(names) + " float32"
}

// channelSums is a kernel that adds to accumulators of cols elements each what
// f makes of the vectors of a row of each input, for rows that lie stride
// elements apart. Group rows are added up before they reach the accumulators
// in memory. f may store to the streams, of which it gets the places: the inputs and
// then out.
func channelSums(name, doc string, group int, accs, inputs, out, channels, scalars []string, f func(k *kernel, x, c, s []vector, out []reg.GPVirtual) []vector) definition {
	params := list(accs, out, inputs, channels) + " []float32, rows, cols, stride int" + floats(scalars)
	return definition{name, doc, params, func(k *kernel) {
		acc, ch := k.pointers(accs), k.pointers(channels)
		streams := [][]reg.GPVirtual{k.pointers(append(append([]string{}, inputs...), out...))}
		cols, stride, rows := k.integer("cols"), k.integer("stride"), k.integer("rows")
		for g := 1; g < group; g++ {
			var next []reg.GPVirtual
			for _, p := range streams[g-1] {
				q := k.like(p)
				LEAQ(Mem{Base: p, Index: stride, Scale: uint8(k.size(p))}, q)
				next = append(next, q)
			}
			streams = append(streams, next)
		}
		tail, scalar := k.tailMask(cols), k.scalars(params)
		block := func(rows int) {
			k.eachMasked(cols, 1, tail, func() {
				c := k.loads(ch)
				var total []vector
				for _, s := range streams[:rows] {
					v := f(k, k.loads(s[:len(inputs)]), c, scalar, s)
					if total == nil {
						total = v
						continue
					}
					for i := range v {
						VADDPS(v[i], total[i], total[i])
					}
				}
				for i, a := range acc {
					k.store(k.add(total[i], k.load(a)), a)
				}
			})
		}
		many, few, done := k.label("many"), k.label("few"), k.label("done")
		Label(many)
		CMPQ(rows, I32(group))
		JL(LabelRef(few))
		block(group)
		for _, s := range streams {
			for _, p := range s {
				for range group / 2 {
					LEAQ(Mem{Base: p, Index: stride, Scale: uint8(2 * k.size(p))}, p)
				}
				if group%2 == 1 {
					k.advance(p, stride)
				}
			}
		}
		SUBQ(I32(group), rows)
		JMP(LabelRef(many))
		Label(few)
		TESTQ(rows, rows)
		JZ(LabelRef(done))
		block(1)
		for _, p := range streams[0] {
			k.advance(p, stride)
		}
		DECQ(rows)
		JMP(LabelRef(few))
		Label(done)
	}}
}

var channelKernels = []definition{
	perChannel("addBias", "is y = x + bias.", []string{"x"}, []string{"y"}, []string{"bias"}, nil,
		func(k *kernel, x, c, _ []vector, out []reg.GPVirtual) { k.store(k.add(x[0], c[0]), out[0]) }),
	perChannel("gate", "is y = x * scale.", []string{"x"}, []string{"y"}, []string{"scale"}, nil,
		func(k *kernel, x, c, _ []vector, out []reg.GPVirtual) { k.store(k.mul(x[0], c[0]), out[0]) }),
	channelSums("channelSum", "adds up x.", 4, []string{"acc"}, []string{"x"}, nil, nil, nil,
		func(k *kernel, x, _, _ []vector, _ []reg.GPVirtual) []vector { return []vector{x[0]} }),
	{"clipGradSum", "is dx = dy where lo < y < hi, and adds that up; rows of dx and y lie stride elements apart, those of dy dyStride.",
		"acc, dx, dy, y []float32, rows, cols, stride, dyStride int, lo, hi float32", func(k *kernel) {
			acc, dx, dy, y := k.pointer("acc"), k.pointer("dx"), k.pointer("dy"), k.pointer("y")
			rows, cols, stride, dyStride := k.integer("rows"), k.integer("cols"), k.integer("stride"), k.integer("dyStride")
			tail, bounds := k.tailMask(cols), []vector{k.scalar("lo"), k.scalar("hi")}
			k.repeat(rows, func() {
				k.eachMasked(cols, 1, tail, func() {
					d := k.passed(k.load(dy), k.load(y), bounds)
					k.storeExact(d, dx)
					k.store(k.add(d, k.load(acc)), acc)
				})
				k.advance(dx, stride)
				k.advance(y, stride)
				k.advance(dy, dyStride)
			})
		}},
	perChannel("prelu", "is y = x, or slope*x where x is not above 0.", []string{"x"}, []string{"y"}, []string{"slope"}, nil,
		func(k *kernel, x, c, _ []vector, out []reg.GPVirtual) {
			k.store(k.choose(k.compare(x[0], greater, k.zero()), x[0], k.mul(x[0], c[0])), out[0])
		}),
	channelSums("preluGrad", "is dx = dy, or slope*dy where x is not above 0, and adds up dy*x there.", 2, []string{"acc"}, []string{"dy", "x"}, []string{"dx"}, []string{"slope"}, nil,
		func(k *kernel, x, c, _ []vector, streams []reg.GPVirtual) []vector {
			above := k.compare(x[1], greater, k.zero())
			k.store(k.passNaN(x[1], k.choose(above, x[0], k.mul(x[0], c[0]))), streams[2])
			return []vector{k.choose(above, k.zero(), k.mul(x[0], x[1]))}
		}),
	channelSums("channelDot", "adds up a*b.", 3, []string{"acc"}, []string{"a", "b"}, nil, nil, nil,
		func(k *kernel, x, _, _ []vector, _ []reg.GPVirtual) []vector { return []vector{k.mul(x[0], x[1])} }),
}
