package checkpoint

import "fmt"

// DType is the element type of a tensor in a file.
type DType uint8

// The element types, all little-endian; Bool is one byte, zero or not.
const (
	Bool DType = iota
	U8
	I8
	U16
	I16
	U32
	I32
	U64
	I64
	F16
	BF16
	F32
	F64
	numDTypes
)

var dtypes = [numDTypes]struct {
	name string // as safetensors writes it
	size int
}{
	Bool: {"BOOL", 1}, U8: {"U8", 1}, I8: {"I8", 1}, U16: {"U16", 2}, I16: {"I16", 2},
	U32: {"U32", 4}, I32: {"I32", 4}, U64: {"U64", 8}, I64: {"I64", 8},
	F16: {"F16", 2}, BF16: {"BF16", 2}, F32: {"F32", 4}, F64: {"F64", 8},
}

// String is the type's name in safetensors files, such as F32.
func (d DType) String() string {
	if d >= numDTypes {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Size is the number of bytes of one element; 0 for a type that does not exist.
func (d DType) Size() int {
	if d >= numDTypes {
		return 0
	}
	return dtypes[d].size
}

// IsFloat tells whether the elements are floating-point numbers.
func (d DType) IsFloat() bool { return d >= F16 && d <= F64 }

func dtypeByName(name string) (DType, bool) {
	for d := range numDTypes {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return 0, false
}
