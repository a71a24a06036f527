package vec

import "github.com/seed52467199/trainer/cpu/vec/portable"

// Wide is the value of a bfloat16, the upper half of a float32.
func Wide(x uint16) float32 { return portable.Wide(x) }

// Round is the bfloat16 nearest to x, of two equally near ones the even one. What is
// not a number stays so.
func Round(x float32) uint16 { return portable.Round(x) }

// Widen is y = x, with x in bfloat16.
func Widen(y []float32, x []uint16) {
	agree(len(y), len(x))
	if n := len(y) / lanes * lanes; widen(y[:n], x[:n]) {
		y, x = y[n:], x[n:]
	}
	portable.Widen(y, x)
}

// Narrow is y = x as [Round] has it, with y in bfloat16.
func Narrow(y []uint16, x []float32) {
	agree(len(y), len(x))
	if n := len(y) / lanes * lanes; narrow(y[:n], x[:n]) {
		y, x = y[n:], x[n:]
	}
	portable.Narrow(y, x)
}

// Pairs is y = pairs of bfloat16: lo in the lower half, hi in the upper.
func Pairs(y []uint32, lo, hi []float32) {
	agree(len(y), len(lo), len(hi))
	if n := len(y) / lanes * lanes; pairs(y[:n], lo[:n], hi[:n]) {
		y, lo, hi = y[n:], lo[n:], hi[n:]
	}
	portable.Pairs(y, lo, hi)
}
