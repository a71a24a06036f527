package cpu

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// plan is a kernel before its memory is known.
type plan struct {
	// name says how, where there are several ways.
	name string
	// scratch is the working memory wanted, in bytes.
	scratch int
	// bind returns the stages of a run over this memory.
	bind func(m operands) []stage
}

// operands is the memory of one binding, as bytes.
type operands struct {
	ctx     *op.Context
	in, out [][]byte
	scratch []byte
}

// stage is work in independent pieces, or work that shares itself out among the
// threads. The next stage begins when all is done.
type stage struct {
	pieces int
	do     func(worker, piece int)
	shared func()
}

// Do implements pool.Task.
func (s *stage) Do(worker, piece int) { s.do(worker, piece) }

// kernel is a plan for one call, run by the device's threads.
type kernel struct {
	call op.Call
	plan
	threads *pool.Pool
}

// String tells how the call is computed, or nothing where there is one way.
func (k *kernel) String() string { return k.name }

// ScratchBytes implements op.Kernel.
func (k *kernel) ScratchBytes() int { return round(k.scratch, 8) }

// Bind implements op.Kernel. It fails if a buffer is too small, not aligned or
// not the host's.
func (k *kernel) Bind(ctx *op.Context, in, out []op.Buffer, scratch op.Buffer) (func(), error) {
	m, err := k.operands(ctx, in, out, scratch)
	if err != nil {
		return nil, fmt.Errorf("cpu: binding %v: %w", k.call, err)
	}
	stages, threads := k.bind(m), k.threads
	held := &struct {
		in, out []op.Buffer
		scratch op.Buffer
	}{slices.Clone(in), slices.Clone(out), scratch}
	return func() {
		for i := range stages {
			if s := &stages[i]; s.shared != nil {
				s.shared()
			} else {
				threads.Run(s.pieces, s)
			}
		}
		runtime.KeepAlive(held)
	}, nil
}

func (k *kernel) operands(ctx *op.Context, in, out []op.Buffer, scratch op.Buffer) (operands, error) {
	if len(in) != len(k.call.In) || len(out) != len(k.call.Out) {
		return operands{}, fmt.Errorf("%d inputs and %d results were given, want %d and %d", len(in), len(out), len(k.call.In), len(k.call.Out))
	}
	if ctx == nil {
		ctx = new(op.Context)
	}
	m := operands{ctx: ctx}
	for i, b := range in {
		host, err := hostBytes(b, op.Size(k.call.In[i]), inputType(k.call, i))
		if err != nil {
			return operands{}, fmt.Errorf("input %d: %w", i, err)
		}
		m.in = append(m.in, host)
	}
	for i, b := range out {
		host, err := hostBytes(b, op.Size(k.call.Out[i]), resultType(k.call, i))
		if err != nil {
			return operands{}, fmt.Errorf("result %d: %w", i, err)
		}
		m.out = append(m.out, host)
	}
	if k.scratch > 0 {
		host, err := hostBytes(scratch, k.ScratchBytes()/8, op.Float64)
		if err != nil {
			return operands{}, fmt.Errorf("scratch memory: %w", err)
		}
		m.scratch = host
	}
	return m, nil
}

// hostBytes is the memory of n elements at the start of a buffer.
func hostBytes(b op.Buffer, n int, t op.DType) ([]byte, error) {
	want := n * t.Bytes()
	switch {
	case b == nil && want == 0:
		return nil, nil
	case b == nil:
		return nil, fmt.Errorf("is missing, want a buffer of %d bytes", want)
	case b.Len() < want:
		return nil, fmt.Errorf("its buffer has %d bytes, want %d", b.Len(), want)
	}
	host := b.Host()
	if len(host) < want {
		return nil, fmt.Errorf("its buffer belongs to another device; upload it to the cpu's memory first")
	}
	if !isAligned(host, t.Bytes()) {
		return nil, fmt.Errorf("its buffer does not start at a multiple of %d bytes", t.Bytes())
	}
	return host[:want:want], nil
}

// inputType is the element type of an input. The optimizer's hyperparameters, and
// what else comes from outside at each update, are float64 in any program.
func inputType(c op.Call, i int) op.DType {
	switch o := c.Op.(type) {
	case op.Update:
		if i == o.Hyper() || i == o.Hyper()+2 {
			return op.Float64
		}
	case op.EMAUpdate, op.AdaptiveClip, op.Perturb, op.Lookahead, op.ClampGrads:
		if i == len(c.In)-1 {
			return op.Float64
		}
	}
	return c.InputType(i)
}

// resultType is the element type of a result.
func resultType(c op.Call, i int) op.DType {
	if _, ok := c.Op.(op.SquaredNorm); ok {
		return op.Float64
	}
	return c.ResultType(i)
}
