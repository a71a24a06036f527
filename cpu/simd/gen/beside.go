package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// besideFetch asks, while a tile is summed, for the next tile's rows of some maps that
// lie like the result: a few rows at a time, because a core waits when it asks for more
// lines than it can have under way.
type besideFetch struct {
	table string // the parameter with the offsets of the rows
	size  uint8  // bytes of an element
	rows  int    // of a tile
	bytes int    // of a row in a tile
	times int    // in which a map's rows are asked for: a divisor of rows, at most 3

	left, row, end, from, saved Mem // memory of the kernel
}

// each is the rows of one map that are asked for at a time.
func (f *besideFetch) each() int { return f.rows / f.times }

func (f *besideFetch) allocate() {
	for _, m := range []*Mem{&f.left, &f.row, &f.end, &f.from, &f.saved} {
		*m = AllocLocal(8)
	}
}

// none has nothing asked for in this tile; free is a register.
func (f *besideFetch) none(free reg.GPVirtual) {
	XORQ(free, free)
	MOVQ(free, f.left)
}

// begin has the rows of the next tile asked for.
func (f *besideFetch) begin(free reg.GPVirtual) {
	MOVQ(param("maps"), free)
	LEAQ(Mem{Base: free, Index: free, Scale: uint8(f.times - 1)}, free)
	MOVQ(free, f.left)
	MOVQ(param("beside"), free)
	MOVQ(free, f.from)
	MOVQ(param(f.table), free)
	ADDQ(Imm(uint64(8*f.rows)), free)
	MOVQ(free, f.row)
	ADDQ(Imm(uint64(8*f.rows)), free)
	MOVQ(free, f.end)
}

// some asks for the next rows; used is a register that it keeps.
func (f *besideFetch) some(free, used reg.GPVirtual) {
	const line = 64
	SUBQ(Imm(1), f.left)
	JL(LabelRef("asked"))
	MOVQ(used, f.saved)
	MOVQ(f.from, free)
	MOVQ(Mem{Base: free}, used)
	for i := range f.each() {
		MOVQ(f.row, free)
		MOVQ(Mem{Base: free, Disp: 8 * i}, free)
		for at := 0; at < f.bytes; at += line {
			PREFETCHT1(Mem{Base: used, Index: free, Scale: f.size, Disp: at})
		}
	}
	MOVQ(f.saved, used)
	MOVQ(f.row, free)
	ADDQ(Imm(uint64(8*f.each())), free)
	MOVQ(free, f.row)
	SUBQ(f.end, free)
	JNZ(LabelRef("asked"))
	ADDQ(Imm(8), f.from)
	SUBQ(Imm(uint64(8*f.rows)), f.row)
	Label("asked")
}
