package cpu

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// Options choose how a Device computes. The zero value is the fastest.
type Options struct {
	// Threads is the number of threads; 0 means all that Go may use.
	Threads int
	// Strict allows the portable kernels only.
	Strict bool
	// DirectConvolution keeps to the sums that the definition of a convolution
	// names. Minimal filtering is faster and rounds more coarsely.
	DirectConvolution bool
}

// Device computes with the processor. Its methods may be called from several
// goroutines. Kernels that run at the same time take turns; the bindings of one
// kernel must not run at the same time.
type Device struct {
	strict  bool
	method  conv.Method
	threads *pool.Pool
}

// New starts a device. It fails if the environment variable that isa.EnvVar names
// asks for an instruction set that this processor lacks.
func New(o Options) (*Device, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("cpu: %d threads asked for; want 0 (all) or more", o.Threads)
	}
	if err := isa.Check(); err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	d := &Device{strict: o.Strict, threads: pool.New(o.Threads)}
	if o.DirectConvolution {
		d.method = conv.Direct
	}
	return d, nil
}

// Name tells what computes, for example "cpu (avx512, 8 threads)".
func (d *Device) Name() string {
	kernels := isa.Active().String()
	if d.strict {
		kernels = "portable"
	}
	threads := "1 thread"
	if n := d.Threads(); n != 1 {
		threads = fmt.Sprintf("%d threads", n)
	}
	return fmt.Sprintf("cpu (%s, %s)", kernels, threads)
}

// Threads is the number of threads that share a kernel's work.
func (d *Device) Threads() int { return d.threads.Threads() }

// Alloc returns zeroed memory, aligned to 64 bytes at least.
func (d *Device) Alloc(bytes int) (op.Buffer, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("cpu: %d bytes of memory asked for", bytes)
	}
	return newBuffer(bytes)
}

// Kernel chooses how to run a call. The error says which operation is unknown
// or which of its attributes no kernel can serve.
func (d *Device) Kernel(c op.Call) (op.Kernel, error) {
	if c.Op == nil {
		return nil, fmt.Errorf("cpu: a kernel was asked for without an operation")
	}
	p, err := d.plan(c)
	if err != nil {
		return nil, fmt.Errorf("cpu: %v: %w", c, err)
	}
	return &kernel{call: c, plan: p, threads: d.threads}, nil
}

func (d *Device) plan(c op.Call) (plan, error) {
	if !c.Narrow.Empty() {
		return d.narrow(c)
	}
	if c.DType == op.Float64 {
		return portable[float64](c)
	}
	if !d.strict {
		if p, err := fast(c, d.method, d.threads); err != nil || p.bind != nil {
			return p, err
		}
	}
	return portable[float32](c)
}

// Sync waits until all kernels that were started have ended. Kernels of this
// device end before their function returns, so there is nothing to wait for.
func (d *Device) Sync() error { return nil }

// Close ends the device's threads. What is still run after that runs on the
// caller's thread alone.
func (d *Device) Close() { d.threads.Close() }
