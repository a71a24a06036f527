package graph

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
)

// Role is what a parameter is for.
type Role uint8

const (
	// Weight is trained, with weight decay.
	Weight Role = iota
	// Bias is trained without weight decay: biases and the scales of norms.
	Bias
	// Statistic is not trained but kept with the weights: running mean and variance.
	Statistic
	// Counter is a Statistic that files hold as an int64 scalar.
	Counter
)

// Trained tells whether gradients move parameters of this role.
func (r Role) Trained() bool { return r == Weight || r == Bias }

// Param is a named tensor of a model.
type Param struct {
	// Name is PyTorch's, such as "layer1.0.conv1.weight".
	Name string
	// Shape is the shape in memory.
	Shape Shape
	// Layout says how files hold it.
	Layout Layout
	// Role is what it is for.
	Role Role
	// Frozen parameters get no gradient and are not updated.
	Frozen bool

	init   Init
	set    *Params
	offset int // in elements, in the set's trained or other memory
}

// Len is the number of elements.
func (p *Param) Len() int { return op.Size(p.Shape) }

// Offset is where the parameter begins in the set's memory for its kind, in
// elements: that of all trained parameters, or that of all statistics.
func (p *Param) Offset() int { return p.offset }

// FileShape is the shape under PyTorch's layout.
func (p *Param) FileShape() Shape { return p.Layout.FileShape(p.Shape) }

// Read returns the value in file order. On a device other than the host this
// copies from it.
func (p *Param) Read() ([]float32, error) { return p.ReadFrom(p.set.memory(p.Role)) }

// ReadFrom is Read from a buffer laid out like the parameter's own memory, such
// as an average of the weights.
func (p *Param) ReadFrom(buf op.Buffer) ([]float32, error) {
	vals, err := p.set.download(p.slice(buf), p.Len())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	out := make([]float32, len(vals))
	p.Layout.walk(p.Shape, func(file, mem int) { out[file] = float32(vals[mem]) })
	return out, nil
}

// Write sets the value from file order.
func (p *Param) Write(file []float32) error { return p.WriteTo(p.set.memory(p.Role), file) }

// WriteTo is Write to a buffer laid out like the parameter's own memory.
func (p *Param) WriteTo(buf op.Buffer, file []float32) error {
	if len(file) != p.Len() {
		return fmt.Errorf("%s: %d values for shape %v", p.Name, len(file), p.FileShape())
	}
	vals := make([]float64, len(file))
	for i, v := range file {
		vals[i] = float64(v)
	}
	return p.writeFile(buf, vals)
}

func (p *Param) writeFile(buf op.Buffer, file []float64) error {
	vals := make([]float64, len(file))
	p.Layout.walk(p.Shape, func(f, m int) { vals[m] = file[f] })
	if err := p.set.upload(p.slice(buf), vals); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return nil
}

func (p *Param) slice(buf op.Buffer) op.Buffer {
	size := p.set.dtype.Bytes()
	return buf.Slice(p.offset*size, p.Len()*size)
}

// Params is the set of a model's parameters. Modules declare them, Place gives
// them memory, and from then on they can be read, written and used by programs.
type Params struct {
	dtype   op.DType
	seed    uint64
	list    []*Param
	byName  map[string]*Param
	errs    []error
	dev     Device
	trained op.Buffer // all trained parameters
	grads   op.Buffer // their gradients
	other   op.Buffer // statistics
	nTrain  int
	nOther  int
}

// NewParams returns an empty set of float32 parameters whose first values are
// drawn under seed.
func NewParams(seed uint64) *Params { return NewParamsOf(op.Float32, seed) }

// NewParamsOf is NewParams for an element type; Float64 is for checking gradients.
func NewParamsOf(dt op.DType, seed uint64) *Params {
	return &Params{dtype: dt, seed: seed, byName: map[string]*Param{}}
}

// Root is the scope without a prefix.
func (ps *Params) Root() Scope { return Scope{set: ps} }

// All lists the parameters in the order of their declaration.
func (ps *Params) All() []*Param { return ps.list }

// Lookup finds a parameter by name, nil where there is none.
func (ps *Params) Lookup(name string) *Param { return ps.byName[name] }

// DType is the element type.
func (ps *Params) DType() op.DType { return ps.dtype }

// TrainedLen is the number of elements of Trained and Grads, with the gaps that
// align each parameter.
func (ps *Params) TrainedLen() int { return ps.nTrain }

// Count is the number of trained values, frozen ones included.
func (ps *Params) Count() int {
	n := 0
	for _, p := range ps.list {
		if p.Role.Trained() {
			n += p.Len()
		}
	}
	return n
}

// Trained is the memory of all trained parameters, nil before Place.
func (ps *Params) Trained() op.Buffer { return ps.trained }

// Grads is the memory of their gradients.
func (ps *Params) Grads() op.Buffer { return ps.grads }

// Statistics is the memory of all other parameters.
func (ps *Params) Statistics() op.Buffer { return ps.other }

// Device is where the parameters live, nil before Place.
func (ps *Params) Device() Device { return ps.dev }

// alignment of each parameter, in elements: one cache line of float32.
const alignment = 16

// Place allocates the parameters on a device and draws their first values. It
// returns what went wrong while they were declared, such as a name used twice.
func (ps *Params) Place(dev Device) error {
	if len(ps.errs) > 0 {
		return errors.Join(ps.errs...)
	}
	if ps.dev != nil {
		return fmt.Errorf("the parameters are placed on %s already", ps.dev.Name())
	}
	for _, p := range ps.list {
		n := &ps.nOther
		if p.Role.Trained() {
			n = &ps.nTrain
		}
		p.offset = *n
		*n += (p.Len() + alignment - 1) / alignment * alignment
	}
	size := ps.dtype.Bytes()
	for _, m := range []struct {
		buf *op.Buffer
		n   int
	}{{&ps.trained, ps.nTrain}, {&ps.grads, ps.nTrain}, {&ps.other, ps.nOther}} {
		b, err := dev.Alloc(max(m.n, 1) * size)
		if err != nil {
			return fmt.Errorf("allocating %d MiB for parameters on %s: %w", m.n*size>>20, dev.Name(), err)
		}
		*m.buf = b
	}
	ps.dev = dev
	for _, p := range ps.list {
		if err := p.Reset(); err != nil {
			return err
		}
	}
	return nil
}

// Reset draws the parameter's first value again.
func (p *Param) Reset() error {
	vals := make([]float64, p.Len())
	p.init(rng.New(p.set.seed, "init "+p.Name), p.FileShape(), vals)
	return p.writeFile(p.set.memory(p.Role), vals)
}

func (ps *Params) memory(r Role) op.Buffer {
	if r.Trained() {
		return ps.trained
	}
	return ps.other
}

func (ps *Params) download(buf op.Buffer, n int) ([]float64, error) {
	if buf == nil {
		return nil, errors.New("the parameters have no memory yet; place them on a device first")
	}
	return readElements(buf, ps.dtype, n)
}

func (ps *Params) upload(buf op.Buffer, vals []float64) error {
	if ps.dtype == op.Float64 {
		return buf.Upload(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(vals))), 8*len(vals)))
	}
	f := make([]float32, len(vals))
	for i, v := range vals {
		f[i] = float32(v)
	}
	return buf.Upload(bytesOf(f))
}

// readElements copies n elements from a device and widens them.
func readElements(buf op.Buffer, dt op.DType, n int) ([]float64, error) {
	out := make([]float64, n)
	if dt == op.Float64 {
		return out, buf.Download(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(out))), 8*n))
	}
	f := make([]float32, n)
	if err := buf.Download(bytesOf(f)); err != nil {
		return nil, err
	}
	for i, v := range f {
		out[i] = float64(v)
	}
	return out, nil
}

// bytesOf is the memory of f.
func bytesOf(f []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))
}

// Scope declares parameters under a prefix, as PyTorch names the parameters of
// nested modules.
type Scope struct {
	set    *Params
	prefix string
}

// Sub is the scope of a child module.
func (s Scope) Sub(name string) Scope { return Scope{set: s.set, prefix: s.prefix + name + "."} }

// Name is the full name of a parameter of the scope.
func (s Scope) Name(name string) string { return s.prefix + name }

// Fail records an error of a module that cannot be built; Params.Place returns it.
func (s Scope) Fail(err error) { s.set.errs = append(s.set.errs, err) }

// Param declares a parameter. A name used twice is an error that Params.Place returns.
func (s Scope) Param(name string, shape Shape, layout Layout, role Role, init Init) *Param {
	p := &Param{Name: s.Name(name), Shape: shape.Clone(), Layout: layout, Role: role, init: init, set: s.set}
	switch {
	case s.set.dev != nil:
		s.Fail(fmt.Errorf("%s is declared after the parameters were placed", p.Name))
	case s.set.byName[p.Name] != nil:
		s.Fail(fmt.Errorf("two parameters are named %s", p.Name))
	}
	for _, d := range shape {
		if d < 1 {
			s.Fail(fmt.Errorf("%s: shape %v has an axis without elements", p.Name, shape))
			break
		}
	}
	s.set.byName[p.Name] = p
	s.set.list = append(s.set.list, p)
	return p
}
