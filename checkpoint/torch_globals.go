package checkpoint

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed52467199/trainer/checkpoint/internal/pickle"
)

// torchHost offers to a pickle the few globals of PyTorch and numpy that
// checkpoints need, none of which does more than describe data.
type torchHost struct {
	storages map[string]*storage // by key, as tensors refer to them
}

// storage is a block of bytes in a PyTorch file, as the pickle describes it.
type storage struct {
	key      string
	nbytes   int64
	elemSize int // of the type it was saved as
}

// storageRef is a storage as a pickle holds it: a window of elements.
type storageRef struct {
	store  *storage
	dtype  DType
	begin  int64
	length int64
}

// tensorRef is a tensor as a pickle holds it: a view of a storage.
type tensorRef struct {
	store  *storage
	dtype  DType
	offset int64 // elements from the beginning of the storage
	shape  []int
	stride []int64 // in elements
}

func newTorchHost() *torchHost { return &torchHost{make(map[string]*storage)} }

// storageType is the class of a storage.
type storageType struct{ dtype DType }

// torchDType is an object such as torch.float32.
type torchDType struct{ dtype DType }

// callable is a global that a pickle may call.
type callable func(args pickle.Tuple) (any, error)

// Call implements pickle.Callable.
func (c callable) Call(args pickle.Tuple) (any, error) { return c(args) }

var torchGlobals = map[string]any{
	"torch._utils._rebuild_tensor":               callable(rebuildTensor),
	"torch._utils._rebuild_tensor_v2":            callable(rebuildTensor),
	"torch._utils._rebuild_tensor_v3":            callable(rebuildTensorV3),
	"torch._utils._rebuild_parameter":            callable(rebuildParameter),
	"torch._utils._rebuild_parameter_with_state": callable(rebuildParameter),
	"torch.Size":                    callable(torchSize),
	"torch.device":                  callable(torchDevice),
	"numpy.dtype":                   callable(numpyDType),
	"numpy.core.multiarray.scalar":  callable(numpyScalar),
	"numpy._core.multiarray.scalar": callable(numpyScalar),
	"torch.storage.UntypedStorage":  storageType{U8},
	"torch.UntypedStorage":          storageType{U8},
	"torch.DoubleStorage":           storageType{F64},
	"torch.FloatStorage":            storageType{F32},
	"torch.HalfStorage":             storageType{F16},
	"torch.BFloat16Storage":         storageType{BF16},
	"torch.LongStorage":             storageType{I64},
	"torch.IntStorage":              storageType{I32},
	"torch.ShortStorage":            storageType{I16},
	"torch.CharStorage":             storageType{I8},
	"torch.ByteStorage":             storageType{U8},
	"torch.BoolStorage":             storageType{Bool},
	"torch.float64":                 torchDType{F64}, "torch.double": torchDType{F64},
	"torch.float32": torchDType{F32}, "torch.float": torchDType{F32},
	"torch.float16": torchDType{F16}, "torch.half": torchDType{F16},
	"torch.bfloat16": torchDType{BF16},
	"torch.int64":    torchDType{I64}, "torch.long": torchDType{I64},
	"torch.int32": torchDType{I32}, "torch.int": torchDType{I32},
	"torch.int16": torchDType{I16}, "torch.short": torchDType{I16},
	"torch.int8": torchDType{I8}, "torch.uint8": torchDType{U8},
	"torch.uint16": torchDType{U16}, "torch.uint32": torchDType{U32}, "torch.uint64": torchDType{U64},
	"torch.bool": torchDType{Bool},
}

// Global implements pickle.Host.
func (h *torchHost) Global(module, name string) (any, error) {
	if v, ok := torchGlobals[module+"."+name]; ok {
		return v, nil
	}
	return nil, &pickle.NotAllowed{Module: module, Name: name}
}

// Persistent implements pickle.Host. The id of a storage is ("storage", type,
// key, device, elements), in the legacy format followed by None or by a view
// of it: (key of the view, first element, elements).
func (h *torchHost) Persistent(id any) (any, error) {
	t, ok := id.(pickle.Tuple)
	if !ok || len(t) < 5 || len(t) > 6 || t[0] != "storage" {
		return nil, fmt.Errorf("a %s stands where a reference to a storage was expected", pickle.TypeName(id))
	}
	class, ok1 := t[1].(storageType)
	key, ok2 := t[2].(string)
	n, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("a reference to a storage is made of %s, %s and %s where its class, key and length were expected",
			pickle.TypeName(t[1]), pickle.TypeName(t[2]), pickle.TypeName(t[4]))
	}
	es := class.dtype.Size()
	if n < 0 || n > math.MaxInt64/int64(es) {
		return nil, fmt.Errorf("storage %s claims %d elements", pickle.Printable(key), n)
	}
	s, known := h.storages[key]
	if !known {
		s = &storage{key, n * int64(es), es}
		h.storages[key] = s
	}
	if s.nbytes != n*int64(es) {
		return nil, fmt.Errorf("storage %s claims %d bytes here and %d elsewhere", pickle.Printable(key), n*int64(es), s.nbytes)
	}
	ref := storageRef{s, class.dtype, 0, n}
	if len(t) == 6 && t[5] != nil {
		return ref.view(t[5])
	}
	return ref, nil
}

// view is the window of a storage that old legacy files describe.
func (s storageRef) view(v any) (any, error) {
	t, ok := v.(pickle.Tuple)
	if ok && len(t) == 3 {
		begin, ok1 := t[1].(int64)
		n, ok2 := t[2].(int64)
		if ok1 && ok2 && begin >= 0 && n >= 0 && begin <= s.length && n <= s.length-begin {
			s.begin, s.length = begin, n
			return s, nil
		}
	}
	return nil, fmt.Errorf("a view of storage %s does not lie in its %d elements", pickle.Printable(s.store.key), s.length)
}

// rebuildTensor takes storage, offset, size, stride and, in v2, what autograd
// needs.
func rebuildTensor(args pickle.Tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor is made from %d values where at least 4 were expected", len(args))
	}
	s, ok := args[0].(storageRef)
	if !ok {
		return nil, fmt.Errorf("a tensor is made from a %s where a storage was expected", pickle.TypeName(args[0]))
	}
	return newTensorRef(s, args[1], args[2], args[3])
}

// rebuildTensorV3 takes storage, offset, size, stride, requires_grad, hooks
// and the element type, which the storage does not know.
func rebuildTensorV3(args pickle.Tuple) (any, error) {
	if len(args) >= 7 {
		s, ok1 := args[0].(storageRef)
		d, ok2 := args[6].(torchDType)
		if ok1 && ok2 {
			s.begin = s.begin * int64(s.dtype.Size()) / int64(d.dtype.Size())
			s.length = s.length * int64(s.dtype.Size()) / int64(d.dtype.Size())
			s.dtype = d.dtype
			return newTensorRef(s, args[1], args[2], args[3])
		}
	}
	return nil, errors.New("a tensor is not made from a storage, its place in it and a type")
}

// newTensorRef makes a view after proving that it lies within its storage.
func newTensorRef(s storageRef, offset, size, stride any) (*tensorRef, error) {
	const maxDims = 64
	off, ok1 := offset.(int64)
	dims, ok2 := size.(pickle.Tuple)
	steps, ok3 := stride.(pickle.Tuple)
	if !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("a tensor's offset, size and stride are %s, %s and %s where int, tuple and tuple were expected",
			pickle.TypeName(offset), pickle.TypeName(size), pickle.TypeName(stride))
	}
	if len(dims) != len(steps) || len(dims) > maxDims {
		return nil, fmt.Errorf("a tensor has %d dimensions and %d strides", len(dims), len(steps))
	}
	t := &tensorRef{s.store, s.dtype, s.begin + off, make([]int, len(dims)), make([]int64, len(dims))}
	for i := range dims {
		d, ok1 := dims[i].(int64)
		step, ok2 := steps[i].(int64)
		if !ok1 || !ok2 || d < 0 || d > math.MaxInt || step < 0 {
			return nil, fmt.Errorf("dimension %d of a tensor has size %s and stride %s", i, pythonText(dims[i]), pythonText(steps[i]))
		}
		t.shape[i], t.stride[i] = int(d), step
	}
	n, ok := elements(t.shape)
	if !ok {
		return nil, fmt.Errorf("a tensor has the impossible shape %v", t.shape)
	}
	if n > 0 && (off < 0 || off >= s.length || !t.reaches(s.length-1-off)) {
		return nil, fmt.Errorf("a tensor of shape %v, strides %v and offset %d reaches beyond the %d elements of storage %s",
			t.shape, t.stride, off, s.length, pickle.Printable(s.store.key))
	}
	return t, nil
}

// reaches tells whether the last element is at most room elements behind the
// first.
func (t *tensorRef) reaches(room int64) bool {
	for d, n := range t.shape {
		if n > 1 && t.stride[d] > room/int64(n-1) {
			return false
		}
		room -= t.stride[d] * int64(n-1)
	}
	return true
}

// rebuildParameter takes a tensor and flags; a parameter is its tensor.
func rebuildParameter(args pickle.Tuple) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*tensorRef); ok {
			return t, nil
		}
	}
	return nil, errors.New("a parameter is not made from a tensor")
}

func torchSize(args pickle.Tuple) (any, error) {
	if len(args) == 1 {
		switch v := args[0].(type) {
		case pickle.Tuple:
			return v, nil
		case *pickle.List:
			return pickle.Tuple(v.Items), nil
		}
	}
	return nil, errors.New("torch.Size is not made from a tuple")
}

// torchDevice answers a device's name; where tensors lay is of no use here.
func torchDevice(args pickle.Tuple) (any, error) {
	if len(args) > 0 {
		if s, ok := args[0].(string); ok {
			return s, nil
		}
	}
	return nil, errors.New("torch.device is not made from a string")
}
