// Package evex writes instructions of AVX512_BF16 for programs that generate assembly
// with avo. Assemblers that lack them are given their bytes, so the vectors that they
// name are physical ones, by number.
package evex

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
)

// Dot is VDPBF16PS on vectors of 512 bits: each lane of acc gains the two products of
// the lane's pairs.
func Dot(acc, x, y int) { emit(0x52, acc, x, y) }

// Round is VCVTNEPS2BF16 of 512 bits: the lower half of dst becomes src in bfloat16.
func Round(dst, src int) { emit(0x72, dst, 0, src) }

// emit writes an instruction of three vectors (map 0F38, prefix F3, 512 bits): opcode
// dst, src1, src2 as Intel orders them.
func emit(opcode byte, dst, src1, src2 int) {
	inverted := func(n, bit int) byte { return byte(n>>bit&1 ^ 1) }
	p0 := inverted(dst, 3)<<7 | inverted(src2, 4)<<6 | inverted(src2, 3)<<5 | inverted(dst, 4)<<4 | 2
	p1 := byte(^src1&15)<<3 | 1<<2 | 2
	p2 := byte(2<<5) | inverted(src1, 4)<<3
	modRM := byte(3<<6 | dst&7<<3 | src2&7)
	Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(uint32(p2)<<24 | uint32(p1)<<16 | uint32(p0)<<8 | 0x62)}})
	Instruction(&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(uint16(modRM)<<8 | uint16(opcode))}})
}
