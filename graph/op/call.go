package op

import "fmt"

// DType is the element type of a program.
type DType uint8

const (
	// Float32 is what training runs in.
	Float32 DType = iota
	// Float64 is what gradients are checked in.
	Float64
)

// Bytes is the size of one element.
func (d DType) Bytes() int {
	if d == Float64 {
		return 8
	}
	return 4
}

// String is the type's Go name.
func (d DType) String() string {
	if d == Float64 {
		return "float64"
	}
	return "float32"
}

// Call is an operation with everything static about one use of it: what a
// device needs to choose a kernel.
type Call struct {
	Op    Op
	DType DType
	In    []Shape
	Out   []Shape
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
