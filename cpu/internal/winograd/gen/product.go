package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// quarters is a linear map between the quarters of a matrix and the factors or products
// of Strassen's algorithm, each a vector.
type quarters struct {
	in, out int
	// apply computes all. d gives an input, in a register that apply may change; to
	// takes a result as soon as it is there.
	apply func(o *ops, d func(i int) reg.VecVirtual, to func(i int, v reg.VecVirtual))
}

// Winograd's variant of Strassen's algorithm, of seven products and fifteen sums, as in
// Knuth, "The Art of Computer Programming", volume 2, section 4.6.4, exercise 37. Quarters
// go row by row.
var (
	left = quarters{in: 4, out: 7, apply: func(o *ops, d func(int) reg.VecVirtual, to func(int, reg.VecVirtual)) {
		a11, a12, a21, a22 := d(0), d(1), d(2), d(3)
		to(0, a11)
		to(1, a12)
		to(3, a22)
		s1 := o.sum(a21, a22)
		to(4, s1)
		s2 := o.difference(s1, a11)
		to(5, s2)
		to(2, o.difference(a12, s2))
		to(6, o.difference(a11, a21))
	}}
	right = quarters{in: 4, out: 7, apply: func(o *ops, d func(int) reg.VecVirtual, to func(int, reg.VecVirtual)) {
		b11, b12, b21, b22 := d(0), d(1), d(2), d(3)
		to(0, b11)
		to(1, b21)
		to(2, b22)
		t1 := o.difference(b12, b11)
		to(4, t1)
		t2 := o.difference(b22, t1)
		to(5, t2)
		to(3, o.difference(t2, b21))
		to(6, o.difference(b22, b12))
	}}
	product = quarters{in: 7, out: 4, apply: func(o *ops, d func(int) reg.VecVirtual, to func(int, reg.VecVirtual)) {
		p1, p6 := d(0), d(5)
		to(0, o.sum(p1, d(1)))
		o.add(p6, p1)
		p5 := d(4)
		u4 := o.sum(p1, p5)
		o.add(d(2), u4)
		to(1, u4)
		o.add(d(6), p1)
		to(2, o.difference(p1, d(3)))
		o.add(p5, p1)
		to(3, p1)
	}}
)

// factors writes a transform from quarters to factors.
func factors(w isaWidth, name string, m *quarters) {
	kernel(name, w, "See GatherFunc.", gatherSignature)
	p := newPositions(integer("dst"), m.out, single)
	three, five := p.multiples(p.stride)
	px := &pixels{integer("src"), GP64(), GP64(), single}
	o := &ops{w, nil}
	each(w, p, px, func() {}, func() {
		var d []reg.VecVirtual
		for i := range m.in {
			d = append(d, w.vec())
			VMOVUPS(px.at(i), d[i])
		}
		m.apply(o, func(i int) reg.VecVirtual { return d[i] }, func(i int, v reg.VecVirtual) {
			VMOVUPS(v, times(p.base, i, p.stride, three, five))
		})
	})
}

// sums writes a transform from products to quarters.
func sums(w isaWidth, name string, m *quarters, e ending) {
	signature, doc := scatterSignature(e)
	kernel(name, w, doc, signature)
	p := newPositions(integer("src"), m.in, single)
	three, five := p.multiples(p.stride)
	px := &pixels{integer("dst"), GP64(), GP64(), single}
	o := &ops{w, nil}
	f := newFinishing(w, e)
	each(w, p, px, f.begin, func() {
		var d []reg.VecVirtual
		for i := range m.in {
			d = append(d, w.vec())
			VMOVUPS(times(p.base, i, p.stride, three, five), d[i])
		}
		m.apply(o, func(i int) reg.VecVirtual { return d[i] }, func(i int, v reg.VecVirtual) {
			f.put(single, v, px.at(i), i%2)
		})
		f.next()
	})
}
