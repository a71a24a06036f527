package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/seed52467199/trainer/checkpoint/internal/pickle"
)

// torchStorages is where a PyTorch file keeps the bytes of its storages.
type torchStorages interface {
	// read returns the nbytes bytes of a storage, little-endian in elements
	// of elemSize bytes, after comparing the claim with the file.
	read(key string, nbytes int64, elemSize int) ([]byte, error)
}

// decodeTorch turns the value of a PyTorch pickle into tensors.
func decodeTorch(root any, storages torchStorages, size int64, o Options) (*File, error) {
	dict, at, err := findStateDict(root, o)
	if err != nil {
		return nil, err
	}
	f := &File{Tensors: new(Tensors), Metadata: torchMetadata(root)}
	load := &torchLoader{storages: storages, loaded: make(map[string][]byte), copyBudget: 1<<20 + 4*size}
	skipped := 0
	for _, it := range dict.Items {
		ref, ok := it.Value.(*tensorRef)
		if !ok {
			skipped++
			continue
		}
		name, ok := it.Key.(string)
		if !ok {
			return nil, fmt.Errorf("the state dict names a tensor by a %s where a string was expected", pickle.TypeName(it.Key))
		}
		data, err := load.tensor(ref)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		if err := f.Tensors.Add(Tensor{name, ref.dtype, ref.shape, data}); err != nil {
			return nil, err
		}
	}
	if at != "" {
		f.Source += ", state dict under " + at
	}
	if skipped > 0 {
		f.Source += fmt.Sprintf(", %d entries that are no tensors left out", skipped)
	}
	return f, nil
}

// torchLoader reads each storage once and cuts tensors out of it.
type torchLoader struct {
	storages   torchStorages
	loaded     map[string][]byte
	copyBudget int64 // bytes that tensors may take beyond the storages
}

// tensor returns the bytes of a tensor in row-major order. A tensor that lies
// in its storage so already shares the storage's memory.
func (l *torchLoader) tensor(t *tensorRef) ([]byte, error) {
	n, _ := elements(t.shape) // newTensorRef has checked the shape
	if n == 0 {
		return []byte{}, nil
	}
	es := t.dtype.Size()
	store, ok := l.loaded[t.store.key]
	if !ok {
		var err error
		if store, err = l.storages.read(t.store.key, t.store.nbytes, t.store.elemSize); err != nil {
			return nil, err
		}
		l.loaded[t.store.key] = store
	}
	begin, size := t.offset*int64(es), int64(n)*int64(es)
	if t.contiguous() {
		return store[begin : begin+size : begin+size], nil
	}
	if l.copyBudget -= size; l.copyBudget < 0 {
		return nil, fmt.Errorf("shape %v repeats the elements of a small storage far too often for this file", t.shape)
	}
	return t.gather(store[begin:]), nil
}

// gather copies a strided view that begins at from.
func (t *tensorRef) gather(from []byte) []byte {
	n, _ := elements(t.shape)
	es := int64(t.dtype.Size())
	out := make([]byte, 0, int64(n)*es)
	index := make([]int, len(t.shape))
	at := int64(0)
	for range n {
		out = append(out, from[at*es:(at+1)*es]...)
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			at += t.stride[d]
			if index[d] < t.shape[d] {
				break
			}
			at -= int64(t.shape[d]) * t.stride[d]
			index[d] = 0
		}
	}
	return out
}

// contiguous tells whether the elements follow one another in row-major order.
func (t *tensorRef) contiguous() bool {
	want := int64(1)
	for d := len(t.shape) - 1; d >= 0; d-- {
		if t.shape[d] == 1 {
			continue // its stride is never used
		}
		if t.stride[d] != want {
			return false
		}
		want *= int64(t.shape[d])
	}
	return true
}

// swapBytes reverses every element of size bytes.
func swapBytes(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// torchMetadata is the numbers and short strings that stand beside the state
// dict, such as epoch and arch.
func torchMetadata(root any) map[string]string {
	const longest = 1 << 12
	meta := make(map[string]string)
	dict, ok := root.(*pickle.Dict)
	if !ok {
		return meta
	}
	for _, it := range dict.Items {
		name, ok := it.Key.(string)
		if !ok {
			continue
		}
		switch v := it.Value.(type) {
		case bool, int64, float64, *big.Int:
			meta[name] = fmt.Sprint(v)
		case string:
			if len(v) <= longest {
				meta[name] = v
			}
		}
	}
	return meta
}

// torchMagic is the integer that the legacy format begins with.
var torchMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// looksLikeLegacyTorch judges by the first bytes: a pickle of the magic number.
func looksLikeLegacyTorch(head []byte) bool {
	v, err := pickle.Decode(pickle.NewReader(readerAt(head), int64(len(head))), refuseAll{})
	n, ok := v.(*big.Int)
	return err == nil && ok && n.Cmp(torchMagic) == 0
}

// legacyStorages finds the storages behind the pickles of a legacy file.
type legacyStorages struct {
	r      io.ReaderAt
	places map[string]legacyPlace
}

type legacyPlace struct {
	at, count int64 // first byte, number of elements
}

// decodeLegacyTorch reads the format of torch.save before 1.6: pickles of a
// magic number, the protocol version, the writer's system, the object and the
// list of storage keys; then for each key a count of elements in 8 bytes and
// the elements, little-endian on every machine.
func decodeLegacyTorch(r io.ReaderAt, size int64, o Options) (*File, error) {
	p := pickle.NewReader(r, size)
	host := newTorchHost()
	var header [3]any
	for i, what := range []string{"magic number", "protocol version", "system information"} {
		v, err := pickle.Decode(p, refuseAll{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		header[i] = v
	}
	if header[1] != int64(1001) {
		return nil, fmt.Errorf("the PyTorch protocol version is %s, 1001 is known", pythonText(header[1]))
	}
	root, err := pickle.Decode(p, host)
	if err != nil {
		return nil, err
	}
	keys, err := pickle.Decode(p, refuseAll{})
	if err != nil {
		return nil, fmt.Errorf("list of storages: %w", err)
	}
	storages, err := findLegacyStorages(r, p.Pos(), size, keys, host)
	if err != nil {
		return nil, err
	}
	f, err := decodeTorch(root, storages, size, o)
	if err != nil {
		return nil, err
	}
	f.Format = FormatTorchLegacy
	return f, nil
}

func findLegacyStorages(r io.ReaderAt, at, size int64, keys any, host *torchHost) (*legacyStorages, error) {
	list, ok := keys.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("a %s stands where the list of storages was expected", pickle.TypeName(keys))
	}
	s := &legacyStorages{r, make(map[string]legacyPlace, len(list.Items))}
	for _, k := range list.Items {
		key, ok := k.(string)
		if !ok {
			return nil, fmt.Errorf("the list of storages holds a %s", pickle.TypeName(k))
		}
		store, ok := host.storages[key]
		if !ok {
			return nil, fmt.Errorf("storage %s lies in the file and no tensor refers to it", pickle.Printable(key))
		}
		if _, twice := s.places[key]; twice {
			return nil, fmt.Errorf("storage %s is listed twice", pickle.Printable(key))
		}
		var b [8]byte
		if err := readFull(r, b[:], at); err != nil {
			return nil, fmt.Errorf("the file is truncated: size of storage %s: %w", pickle.Printable(key), err)
		}
		at += 8
		count := int64(0)
		for i, x := range b {
			count |= int64(x) << (8 * i)
		}
		if es := int64(store.elemSize); count < 0 || count > (size-at)/es {
			return nil, fmt.Errorf("the file is truncated: storage %s has %d elements of %d bytes and only %d bytes follow",
				pickle.Printable(key), count, es, size-at)
		}
		s.places[key] = legacyPlace{at, count}
		at += count * int64(store.elemSize)
	}
	return s, nil
}

func (s *legacyStorages) read(key string, nbytes int64, elemSize int) ([]byte, error) {
	place, ok := s.places[key]
	if !ok {
		return nil, fmt.Errorf("its storage %s is not in the file", pickle.Printable(key))
	}
	if has := place.count * int64(elemSize); has != nbytes {
		return nil, fmt.Errorf("its storage %s should have %d bytes and has %d", pickle.Printable(key), nbytes, has)
	}
	b := make([]byte, nbytes)
	return b, readFull(s.r, b, place.at)
}

// refuseAll is the host of pickles that need no globals.
type refuseAll struct{}

func (refuseAll) Global(module, name string) (any, error) {
	return nil, &pickle.NotAllowed{Module: module, Name: name}
}

func (refuseAll) Persistent(any) (any, error) {
	return nil, errors.New("it refers to a storage where none can be")
}

// readerAt reads from memory.
type readerAt []byte

func (b readerAt) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// pythonText shows a decoded number or string; other values by their type.
func pythonText(v any) string {
	switch v := v.(type) {
	case int64, bool, float64:
		return fmt.Sprint(v)
	case string:
		return pickle.Printable(v)
	}
	return "a " + pickle.TypeName(v)
}
