package graph

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// Layer is the name of the layer that the parameter belongs to: its own without the last
// part, "" where it has but one.
func (p *Param) Layer() string { return p.Name[:max(0, strings.LastIndexByte(p.Name, '.'))] }

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

// Values returns the value in the order of memory, whose shape is Shape.
func (p *Param) Values() ([]float32, error) {
	file, err := p.Read()
	if err != nil {
		return nil, err
	}
	vals := make([]float32, len(file))
	p.Layout.walk(p.Shape, func(f, m int) { vals[m] = file[f] })
	return vals, nil
}

// ReadFrom is Read from a buffer laid out like the parameter's own memory, such
// as an average of the weights.
func (p *Param) ReadFrom(buf op.Buffer) ([]float32, error) {
	out := make([]float32, p.Len())
	return out, p.ReadInto(out, buf)
}

// ReadInto is ReadFrom into a slice as long as the parameter. From the host's own
// memory it reads without another copy.
func (p *Param) ReadInto(dst []float32, buf op.Buffer) error {
	switch {
	case buf == nil:
		return fmt.Errorf("%s: the parameters have no memory yet; place them on a device first", p.Name)
	case len(dst) != p.Len():
		return fmt.Errorf("%s: room for %d values of shape %v", p.Name, len(dst), p.FileShape())
	}
	raw := p.slice(buf)
	if host := raw.Host(); host != nil && p.set.dtype == op.Float32 {
		vals := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(host))), p.Len())
		p.Layout.walk(p.Shape, func(file, mem int) { dst[file] = vals[mem] })
		runtime.KeepAlive(buf)
		return nil
	}
	vals, err := readElements(raw, p.set.dtype, p.Len())
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	p.Layout.walk(p.Shape, func(file, mem int) { dst[file] = float32(vals[mem]) })
	return nil
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
	return p.writeFile(buf, vals, new(draft))
}

func (p *Param) writeFile(buf op.Buffer, file []float64, d *draft) error {
	var raw []byte
	if p.set.dtype == op.Float64 {
		d.wide = resized(d.wide, len(file))
		p.Layout.walk(p.Shape, func(f, m int) { d.wide[m] = file[f] })
		raw = bytesOf(d.wide)
	} else {
		d.narrow = resized(d.narrow, len(file))
		p.Layout.walk(p.Shape, func(f, m int) { d.narrow[m] = float32(file[f]) })
		raw = bytesOf(d.narrow)
	}
	if err := p.slice(buf).Upload(raw); err != nil {
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

// Bytes is the memory that all parameters take, gradients aside, with the gaps that
// align each.
func (ps *Params) Bytes() int {
	n := 0
	for _, p := range ps.list {
		n += p.aligned()
	}
	return n * ps.dtype.Bytes()
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

// aligned is the number of elements that the parameter takes.
func (p *Param) aligned() int { return (p.Len() + alignment - 1) / alignment * alignment }

// Place allocates the parameters on a device and draws their first values. It
// returns what went wrong while they were declared, such as a name used twice.
func (ps *Params) Place(dev Device) error {
	switch more := len(ps.errs) - 1; {
	case more == 0:
		return ps.errs[0]
	case more > 0: // what is wrong with one block often is with all
		return fmt.Errorf("%w (and %d more like it)", ps.errs[0], more)
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
		*n += p.aligned()
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
	return ps.draw()
}

// draw gives all parameters their first values, several at a time: each has a random
// stream of its own. The largest come first, so that none is waited for at the end.
func (ps *Params) draw() error {
	order := slices.Clone(ps.list)
	slices.SortStableFunc(order, func(a, b *Param) int { return cmp.Compare(b.Len(), a.Len()) })
	errs := make([]error, len(order))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		workers.Go(func() {
			var d draft
			for i := next.Add(1) - 1; i < int64(len(order)); i = next.Add(1) - 1 {
				errs[i] = order[i].reset(&d)
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

// draft is memory for values on their way to parameters.
type draft struct {
	file   []float64 // in file order
	wide   []float64 // in memory's, as one of the two
	narrow []float32
}

// StartFrom makes init draw the first value, which Place gives the parameter.
func (p *Param) StartFrom(init Init) { p.init = init }

// Reset draws the parameter's first value again.
func (p *Param) Reset() error { return p.reset(new(draft)) }

func (p *Param) reset(d *draft) error {
	d.file = resized(d.file, p.Len())
	clear(d.file)
	p.init(rng.New(p.set.seed, "init "+p.Name), p.FileShape(), d.file)
	return p.writeFile(p.set.memory(p.Role), d.file, d)
}

// resized is buf with n elements, or a new slice where it is too short.
func resized[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

func (ps *Params) memory(r Role) op.Buffer {
	if r.Trained() {
		return ps.trained
	}
	return ps.other
}

func (ps *Params) upload(buf op.Buffer, vals []float64) error {
	if ps.dtype == op.Float64 {
		return buf.Upload(bytesOf(vals))
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
		return out, buf.Download(bytesOf(out))
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

// bytesOf is the memory of x.
func bytesOf[T float32 | float64](x []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), int(unsafe.Sizeof(one))*len(x))
}

// Scope declares parameters under a prefix, as PyTorch names the parameters of
// nested modules.
type Scope struct {
	set    *Params
	prefix string
	conv   Init // of convolutions that have none of their own; nil means PyTorch's default
	bias   Init // of their biases, likewise
}

// Sub is the scope of a child module.
func (s Scope) Sub(name string) Scope {
	s.prefix += name + "."
	return s
}

// ConvInit is the scope in which convolutions below it, those of attentions
// included, draw their weights from init where they are given nothing else.
func (s Scope) ConvInit(init Init) Scope {
	s.conv = init
	return s
}

// ConvBiasInit is ConvInit for the biases of convolutions.
func (s Scope) ConvBiasInit(init Init) Scope {
	s.bias = init
	return s
}

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
