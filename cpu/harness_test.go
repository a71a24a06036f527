package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// newDevice is a device that ends with the test.
func newDevice(t testing.TB, o Options) *Device {
	t.Helper()
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// oracle is a device with the portable kernels on one thread.
func oracle(t testing.TB) *Device {
	t.Helper()
	return newDevice(t, Options{Threads: 1, Strict: true})
}

// random fills n numbers from a normal distribution.
func random(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// bound is a call with memory.
type bound struct {
	call    op.Call
	ctx     *op.Context
	in, out []op.Buffer
	run     func()
	plan    string // how it computes
}

// bind makes the call's kernel on a device, with memory that holds these inputs.
func bind(t testing.TB, d *Device, o op.Op, dt op.DType, shapes []op.Shape, in [][]float64) *bound {
	t.Helper()
	c, err := op.NewCall(o, dt, shapes...)
	if err != nil {
		t.Fatal(err)
	}
	return bindCall(t, d, c, in)
}

// bindCall is bind for a whole call.
func bindCall(t testing.TB, d *Device, c op.Call, in [][]float64) *bound {
	t.Helper()
	b := &bound{call: c, ctx: &op.Context{Seed: 1, Draw: 1}}
	for i, s := range c.In {
		b.in = append(b.in, alloc(t, d, op.Size(s), inputType(c, i)))
		set(b.in[i], inputType(c, i), in[i])
	}
	for i, s := range c.Out {
		buf := alloc(t, d, op.Size(s), resultType(c, i))
		poison(buf)
		b.out = append(b.out, buf)
	}
	b.rebind(t, d)
	return b
}

// rebind makes the kernel anew over the memory that b has now.
func (b *bound) rebind(t testing.TB, d *Device) {
	t.Helper()
	k, err := d.Kernel(b.call)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := k.(fmt.Stringer); ok {
		b.plan = s.String()
	}
	scratch := alloc(t, d, k.ScratchBytes()/8+1, op.Float64)
	poison(scratch)
	if b.run, err = k.Bind(b.ctx, b.in, b.out, scratch); err != nil {
		t.Fatal(err)
	}
}

func alloc(t testing.TB, d *Device, n int, dt op.DType) op.Buffer {
	t.Helper()
	b, err := d.Alloc(n * dt.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// poison fills memory with NaN, so that a kernel that leaves out an element or
// reads what it has not written is found.
func poison(b op.Buffer) {
	for i := range b.Host() {
		b.Host()[i] = 0xff
	}
}

func set(b op.Buffer, dt op.DType, v []float64) {
	if dt == op.Float64 {
		copy(as[float64](b.Host()), v)
		return
	}
	if dt == op.BFloat16 {
		x := as[uint16](b.Host())
		for i := range v {
			x[i] = vec.Round(float32(v[i]))
		}
		return
	}
	x := as[float32](b.Host())
	for i := range v {
		x[i] = float32(v[i])
	}
}

func get(b op.Buffer, dt op.DType) []float64 {
	if dt == op.Float64 {
		return append([]float64(nil), as[float64](b.Host())...)
	}
	var v []float64
	if dt == op.BFloat16 {
		for _, x := range as[uint16](b.Host()) {
			v = append(v, float64(vec.Wide(x)))
		}
		return v
	}
	for _, x := range as[float32](b.Host()) {
		v = append(v, float64(x))
	}
	return v
}

func (b *bound) output(i int) []float64 { return get(b.out[i], resultType(b.call, i)) }
func (b *bound) input(i int) []float64  { return get(b.in[i], inputType(b.call, i)) }

// results runs a call once and returns its results, and after them the inputs
// that it updates.
func results(t testing.TB, d *Device, o op.Op, dt op.DType, shapes []op.Shape, in [][]float64) [][]float64 {
	t.Helper()
	b := bind(t, d, o, dt, shapes, in)
	b.run()
	var all [][]float64
	for i := range b.out {
		all = append(all, b.output(i))
	}
	if m, ok := o.(op.Mutator); ok {
		for _, i := range m.Mutates() {
			all = append(all, b.input(i))
		}
	}
	return all
}

// far is how far got is from want, as a part of 1+|want|; NaN is far from all
// but NaN, and an infinity from all but itself.
func far(got, want float64) float64 {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return 0
	}
	d := math.Abs(got-want) / (1 + math.Abs(want))
	if math.IsNaN(d) {
		return math.Inf(1)
	}
	return d
}

// farthest is the largest such distance, and where.
func farthest(got, want []float64) (worst float64, at int) {
	if len(got) != len(want) {
		return math.Inf(1), -1
	}
	for i := range got {
		if d := far(got[i], want[i]); d > worst {
			worst, at = d, i
		}
	}
	return worst, at
}
