package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/checkpoint/internal/pickle"
)

// Old training scripts keep their best accuracy as a numpy scalar. Those are
// read as numbers; numpy arrays are not needed and stay refused.

// numpyType is a numpy.dtype object: kind and size, such as f8.
type numpyType struct {
	code string
	big  bool
}

var numpyCodes = map[string]DType{
	"b1": Bool, "i1": I8, "u1": U8, "i2": I16, "u2": U16, "i4": I32, "u4": U32,
	"i8": I64, "u8": U64, "f2": F16, "f4": F32, "f8": F64,
}

// numpyDType takes a code and two flags.
func numpyDType(args pickle.Tuple) (any, error) {
	if len(args) > 0 {
		if code, ok := args[0].(string); ok {
			return &numpyType{code: code}, nil
		}
	}
	return nil, errors.New("numpy.dtype is not made from a code")
}

// Build implements pickle.Builder: the state is (version, byte order, ...).
func (t *numpyType) Build(state any) error {
	s, ok := state.(pickle.Tuple)
	if !ok || len(s) < 2 {
		return errors.New("the state of numpy.dtype is not a tuple with a byte order")
	}
	t.big = s[1] == ">"
	return nil
}

// numpyScalar takes a dtype and the bytes of one element.
func numpyScalar(args pickle.Tuple) (any, error) {
	if len(args) != 2 {
		return nil, errors.New("a numpy scalar is not made from a type and bytes")
	}
	t, ok := args[0].(*numpyType)
	var b []byte
	switch v := args[1].(type) {
	case []byte:
		b = slices.Clone(v)
	case string: // Python 2
		b = []byte(v)
	}
	if !ok || b == nil {
		return nil, fmt.Errorf("a numpy scalar is made from a %s and a %s", pickle.TypeName(args[0]), pickle.TypeName(args[1]))
	}
	d, ok := numpyCodes[t.code]
	if !ok || len(b) != d.Size() {
		return nil, fmt.Errorf("a numpy scalar of type %s has %d bytes; only single numbers are read", pickle.Printable(t.code), len(b))
	}
	if t.big {
		slices.Reverse(b)
	}
	one := Tensor{DType: d, Data: b}
	switch d {
	case F64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case F32, F16:
		return float64(one.Float32s()[0]), nil
	case Bool:
		return one.integer(0) != 0, nil
	}
	return one.integer(0), nil
}
