package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Tensor is a named array as a file holds it: row-major, little-endian.
// A tensor without dimensions is one number.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	// Data may be shared with other tensors of the same file: read it only.
	Data []byte
}

// FromFloat32s makes an F32 tensor. It refuses values that do not fill shape.
func FromFloat32s(name string, shape []int, values []float32) (Tensor, error) {
	t, err := newTensor(name, F32, shape, len(values))
	AppendFloat32s(t.Data[:0], values[:len(t.Data)/4])
	return t, err
}

// AppendFloat32s appends values as an F32 tensor holds them.
func AppendFloat32s(data []byte, values []float32) []byte {
	n := len(data)
	data = slices.Grow(data, 4*len(values))[:n+4*len(values)]
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[n+4*i:], math.Float32bits(v))
	}
	return data
}

// FromInt64s makes an I64 tensor. It refuses values that do not fill shape.
func FromInt64s(name string, shape []int, values []int64) (Tensor, error) {
	t, err := newTensor(name, I64, shape, len(values))
	for i, v := range values[:len(t.Data)/8] {
		binary.LittleEndian.PutUint64(t.Data[8*i:], uint64(v))
	}
	return t, err
}

func newTensor(name string, d DType, shape []int, n int) (Tensor, error) {
	want, ok := elements(shape)
	if !ok || want != n {
		return Tensor{}, fmt.Errorf("tensor %s: %d values do not fill shape %v", name, n, shape)
	}
	return Tensor{name, d, append([]int{}, shape...), make([]byte, n*d.Size())}, nil
}

// elements is the product of the dimensions; not ok where one is negative or
// the product, counted in bytes of the widest type, exceeds an int.
func elements(shape []int) (n int, ok bool) {
	total := uint64(1)
	for _, d := range shape {
		if d == 0 {
			total = 0
		}
	}
	for _, d := range shape {
		hi, lo := bits.Mul64(total, uint64(d))
		if d < 0 || hi != 0 || lo > math.MaxInt/8 {
			return 0, false
		}
		total = lo
	}
	return int(total), true
}

// Len is the number of elements that the shape asks for.
func (t Tensor) Len() int {
	n, _ := elements(t.Shape)
	return n
}

// size is the number of bytes that type and shape ask for.
func (t Tensor) size() int64 { return int64(t.Len()) * int64(t.DType.Size()) }

// check tells whether type, shape and data agree.
func (t Tensor) check() error {
	n, ok := elements(t.Shape)
	switch {
	case t.DType.Size() == 0:
		return fmt.Errorf("tensor %s: unknown element type %v", t.Name, t.DType)
	case !ok:
		return fmt.Errorf("tensor %s: impossible shape %v", t.Name, t.Shape)
	case n*t.DType.Size() != len(t.Data):
		return fmt.Errorf("tensor %s: shape %v of %v takes %d bytes, the data has %d",
			t.Name, t.Shape, t.DType, n*t.DType.Size(), len(t.Data))
	}
	return nil
}

// Float32s returns the elements as float32 in a new slice. F64 and integers
// are rounded to the nearest float32; Bool gives 0 and 1.
func (t Tensor) Float32s() []float32 {
	out := make([]float32, len(t.Data)/max(t.DType.Size(), 1))
	t.CopyFloat32s(out)
	return out
}

// CopyFloat32s writes the elements into dst as Float32s does, up to the
// shorter of the two, and returns their number. It allocates nothing.
func (t Tensor) CopyFloat32s(dst []float32) int {
	n := min(len(dst), len(t.Data)/max(t.DType.Size(), 1))
	dst, b, le := dst[:n], t.Data, binary.LittleEndian
	switch t.DType {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = halfToFloat32(le.Uint16(b[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(le.Uint16(b[2*i:])) << 16)
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(b[8*i:])))
		}
	case U64:
		for i := range dst {
			dst[i] = float32(le.Uint64(b[8*i:]))
		}
	default:
		for i := range dst {
			dst[i] = float32(t.integer(i))
		}
	}
	return n
}

// Int64s returns the elements of an integer or Bool tensor. It refuses
// floating-point tensors and U64 values beyond int64.
func (t Tensor) Int64s() ([]int64, error) {
	if t.DType.IsFloat() || t.DType.Size() == 0 {
		return nil, fmt.Errorf("tensor %s holds %v, not integers", t.Name, t.DType)
	}
	out := make([]int64, len(t.Data)/t.DType.Size())
	for i := range out {
		out[i] = t.integer(i)
		if t.DType == U64 && out[i] < 0 {
			return nil, fmt.Errorf("tensor %s: element %d is %d, beyond the range of int64", t.Name, i, uint64(out[i]))
		}
	}
	return out, nil
}

// integer is element i of an integer or Bool tensor.
func (t Tensor) integer(i int) int64 {
	le, b := binary.LittleEndian, t.Data[i*t.DType.Size():]
	switch t.DType {
	case Bool:
		if b[0] != 0 {
			return 1
		}
		return 0
	case U8:
		return int64(b[0])
	case I8:
		return int64(int8(b[0]))
	case U16:
		return int64(le.Uint16(b))
	case I16:
		return int64(int16(le.Uint16(b)))
	case U32:
		return int64(le.Uint32(b))
	case I32:
		return int64(int32(le.Uint32(b)))
	}
	return int64(le.Uint64(b)) // I64, U64
}

// halfToFloat32 widens an IEEE 754 binary16 number; it is exact.
func halfToFloat32(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero or subnormal: frac * 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
