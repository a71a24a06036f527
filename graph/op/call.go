package op

import "fmt"

// DType is the element type of a program.
type DType uint8

const (
	// Float32 is what training runs in.
	Float32 DType = iota
	// Float64 is what gradients are checked in.
	Float64
	// BFloat16 is the upper half of a float32, with 8 bits of precision. Values
	// between steps may be stored in it; sums and parameters are not.
	BFloat16
)

// Bytes is the size of one element.
func (d DType) Bytes() int {
	switch d {
	case Float64:
		return 8
	case BFloat16:
		return 2
	}
	return 4
}

// String is the type's Go name.
func (d DType) String() string {
	switch d {
	case Float64:
		return "float64"
	case BFloat16:
		return "bfloat16"
	}
	return "float32"
}

// ParsePrecision is the element type that a precision's name stands for: what lives
// between a program's steps is kept in it.
func ParsePrecision(name string) (DType, error) {
	switch name {
	case "f32":
		return Float32, nil
	case "bf16":
		return BFloat16, nil
	}
	return Float32, fmt.Errorf("precision %q: it must be f32 or bf16", name)
}

// Call is an operation with everything static about one use of it: what a
// device needs to choose a kernel.
type Call struct {
	Op    Op
	DType DType
	In    []Shape
	Out   []Shape
	// Narrow lists the operands that are BFloat16 in memory, in a Float32 call.
	Narrow Operands
}

// Operands is a set of a call's operands: bit i of In is input i, bit i of Out is
// result i. Only the first 64 of each can be in it.
type Operands struct{ In, Out uint64 }

// Input tells whether input i is in the set.
func (s Operands) Input(i int) bool { return i < 64 && s.In>>i&1 != 0 }

// Result tells whether result i is in the set.
func (s Operands) Result(i int) bool { return i < 64 && s.Out>>i&1 != 0 }

// Empty tells whether no operand is in the set.
func (s Operands) Empty() bool { return s == Operands{} }

// InputType is the element type in memory of input i.
func (c Call) InputType(i int) DType { return narrowed(c.DType, c.Narrow.Input(i)) }

// ResultType is the element type in memory of result i.
func (c Call) ResultType(i int) DType { return narrowed(c.DType, c.Narrow.Result(i)) }

func narrowed(t DType, narrow bool) DType {
	if narrow {
		return BFloat16
	}
	return t
}

// NewCall infers the results of an operation on inputs of these shapes.
func NewCall(o Op, dt DType, in ...Shape) (Call, error) {
	out, err := o.Infer(in)
	if err != nil {
		return Call{}, err
	}
	return Call{Op: o, DType: dt, In: in, Out: out}, nil
}

// String names the call and its shapes for messages.
func (c Call) String() string {
	if !c.Narrow.Empty() {
		return fmt.Sprintf("%s%v -> %v (%v and %v)", c.Op.Kind(), c.In, c.Out, c.DType, BFloat16)
	}
	return fmt.Sprintf("%s%v -> %v (%v)", c.Op.Kind(), c.In, c.Out, c.DType)
}

// Buffer is a piece of a device's memory.
type Buffer interface {
	// Len is its size in bytes.
	Len() int
	// Slice is the part of n bytes from offset off, sharing memory.
	Slice(off, n int) Buffer
	// Host is the memory itself where the host can address it, else nil.
	Host() []byte
	// Upload copies src, which must not be longer than the buffer, to its start.
	Upload(src []byte) error
	// Download copies from the buffer's start until dst is full.
	Download(dst []byte) error
}

// Context is what changes from run to run; kernels read it while they run.
type Context struct {
	// Seed is the run's seed.
	Seed uint64
	// Draw numbers the forward passes, so that each draws its own masks.
	Draw uint64
}

// Kernel runs one Call on a device.
type Kernel interface {
	// ScratchBytes is the working memory that Bind wants; it holds nothing
	// between runs and is shared by all kernels of a program.
	ScratchBytes() int
	// Bind fixes the operands' memory and returns the function that runs the
	// kernel once. That function must not allocate.
	Bind(ctx *Context, in, out []Buffer, scratch Buffer) (func(), error)
}
