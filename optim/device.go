package optim

import (
	"encoding/binary"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// vector is a small float64 vector in the device's memory.
type vector struct {
	vals []float64
	raw  []byte
	buf  op.Buffer
}

func newVector(dev graph.Device, n int) (vector, error) {
	b, err := dev.Alloc(8 * n)
	return vector{vals: make([]float64, n), raw: make([]byte, 8*n), buf: b}, err
}

func (v *vector) upload() error {
	for i, x := range v.vals {
		binary.NativeEndian.PutUint64(v.raw[8*i:], math.Float64bits(x))
	}
	return v.buf.Upload(v.raw)
}

func (v *vector) download() error {
	if err := v.buf.Download(v.raw); err != nil {
		return err
	}
	for i := range v.vals {
		v.vals[i] = math.Float64frombits(binary.NativeEndian.Uint64(v.raw[8*i:]))
	}
	return nil
}

// bind makes an operation on fixed memory of the parameters' device into a function.
func bind(ps *graph.Params, o op.Op, shapes []op.Shape, in, out []op.Buffer) (func(), error) {
	c, err := op.NewCall(o, ps.DType(), shapes...)
	if err != nil {
		return nil, err
	}
	k, err := ps.Device().Kernel(c)
	if err != nil {
		return nil, err
	}
	scratch, err := ps.Device().Alloc(max(k.ScratchBytes(), 1))
	if err != nil {
		return nil, err
	}
	return k.Bind(&op.Context{}, in, out, scratch)
}
