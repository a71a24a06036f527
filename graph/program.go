package graph

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/seed52467199/trainer/graph/op"
)

// Target says what a program computes.
type Target struct {
	// Outputs can be read after a run.
	Outputs []*Node
	// Loss, where set, is a scalar that can be read too. In a graph for training
	// it is differentiated into the gradient memory of the parameters it reaches.
	Loss *Node
	// Accumulate adds to the gradient memory instead of overwriting it.
	Accumulate bool
	// Precision is the element type of what lives between steps: BFloat16 in a
	// Float32 graph keeps activations and their gradients in half the memory,
	// where the operations allow it. Arithmetic, parameters, their gradients and
	// results stay Float32. Float32 changes nothing.
	Precision op.DType
	// Memory, where set, is how many bytes of working memory there may be: what does
	// not fit is computed again in the backward pass instead of kept. Compile gives a
	// *MemoryError where that is not enough.
	Memory int
	// NoFusion keeps every operation a step of its own, for comparing with.
	NoFusion bool
}

// Program computes a Target on a device. It shares its parameters with other
// programs, and its working memory with those of its workspace.
type Program struct {
	ws         *Workspace
	params     *Params
	dtype      op.DType
	train      bool
	steps      []*step
	values     map[*Node]*value
	inputs     []*Node
	loss       *Node
	seed       *Node
	arena      int // bytes of values and scratch
	scratch    int
	memory     MemoryPlan
	generation int
	seedValue  float64
	scalar     [8]byte // one element on its way to or from the device
	buffers    map[*value]op.Buffer
	trained    []*Param
}

// Compile plans a program. It allocates no working memory: the first run does,
// and ArenaBytes tells how much that will be.
func Compile(g *Graph, ps *Params, ws *Workspace, t Target) (*Program, error) {
	if g.err != nil {
		return nil, g.err
	}
	if ps.dev == nil {
		return nil, fmt.Errorf("compiling a program: the parameters have no memory yet; place them on a device first")
	}
	if ps.dtype != g.dtype {
		return nil, fmt.Errorf("compiling a program: the graph computes in %v, the parameters are %v", g.dtype, ps.dtype)
	}
	if t.Precision == op.Float64 || t.Precision == op.BFloat16 && g.dtype != op.Float32 {
		return nil, fmt.Errorf("compiling a program: values of a %v graph cannot be kept in %v; bfloat16 goes with a float32 graph", g.dtype, t.Precision)
	}
	p := &Program{ws: ws, params: ps, dtype: g.dtype, train: g.Training(), inputs: g.inputs, loss: t.Loss, seedValue: 1}
	kept := slices.Clone(t.Outputs)
	var grads map[*Param]*Node
	if t.Loss != nil {
		if t.Loss.Dims() != 0 {
			return nil, fmt.Errorf("compiling a program: the loss has shape %v, want a scalar", t.Loss.Shape())
		}
		kept = append(kept, t.Loss)
		if p.train {
			p.seed = g.leaf("seed", "gradient of the loss", Shape{})
			var err error
			if grads, err = g.gradients(t.Loss, p.seed); err != nil {
				return nil, err
			}
		}
	}
	targets := slices.Clone(kept)
	// The last parameters' gradients come first, so that each gradient is taken as
	// soon as the backward pass reaches its layer.
	for _, param := range slices.Backward(ps.list) {
		if n := grads[param]; n != nil {
			targets = append(targets, n)
			p.trained = append(p.trained, param)
		}
	}
	low, err := lower(g, targets)
	if err != nil {
		return nil, err
	}
	p.values = low.values
	p.steps = low.steps
	keep := p.keepResults(kept)
	p.keepGrads(grads, t.Accumulate, keep)
	if !t.NoFusion {
		p.steps = fuse(p.steps, keep, t.Precision == op.BFloat16)
	}
	if t.Precision == op.BFloat16 {
		halve(p.steps, keep)
	}
	if err := p.makeKernels(p.steps); err != nil {
		return nil, err
	}
	if err := p.planMemory(keep, t.Memory); err != nil {
		return nil, err
	}
	return p, nil
}

// keepResults gives the results values of their own that stay after the run.
func (p *Program) keepResults(nodes []*Node) map[*value]bool {
	keep := map[*value]bool{}
	for _, n := range nodes {
		v := p.values[n]
		if v.root().home == inParam || v.view != nil {
			v = p.copyOf(v)
			p.values[n] = v
		}
		v.home = inResult
		keep[v] = true
	}
	return keep
}

func (p *Program) copyOf(v *value) *value {
	c := &value{name: v.name, shape: v.shape}
	p.steps = append(p.steps, &step{op: op.Copy{}, in: []*value{v}, out: []*value{c}})
	return c
}

// keepGrads directs each gradient to its parameter's gradient memory.
func (p *Program) keepGrads(grads map[*Param]*Node, accumulate bool, keep map[*value]bool) {
	made := map[*value]bool{}
	for _, s := range p.steps {
		for _, v := range s.out {
			made[v] = true
		}
	}
	for _, param := range p.trained {
		v := p.values[grads[param]]
		memory := &value{name: param.Name, shape: v.shape, home: inGrad, param: param}
		switch {
		case accumulate:
			p.steps = append(p.steps, &step{op: op.Accumulate{}, in: []*value{memory, v}})
		case made[v] && v.home == inArena:
			v.home, v.param = inGrad, param
			keep[v] = true
		default:
			p.steps = append(p.steps, &step{op: op.Copy{}, in: []*value{v}, out: []*value{memory}})
		}
	}
}

// makeKernels asks for the kernels of steps that have none yet.
func (p *Program) makeKernels(steps []*step) error {
	for _, s := range steps {
		if s == nil || s.kernel != nil {
			continue
		}
		k, err := p.ws.dev.Kernel(s.call(p.dtype))
		if err != nil {
			return err
		}
		s.kernel = k
		p.scratch = max(p.scratch, k.ScratchBytes())
	}
	return nil
}

// ArenaBytes is the working memory that a run takes, beside the parameters and
// their gradients.
func (p *Program) ArenaBytes() int { return p.arena + p.scratch }

// Trained lists the parameters whose gradients the program computes.
func (p *Program) Trained() []*Param { return p.trained }

// bind fixes every step's memory.
func (p *Program) bind() error {
	if err := p.ws.reserve(p.ArenaBytes()); err != nil {
		return err
	}
	p.buffers = map[*value]op.Buffer{}
	buffer := func(v *value) op.Buffer {
		if b := p.buffers[v]; b != nil {
			return b
		}
		var b op.Buffer
		switch r := v.root(); r.home {
		case inParam:
			b = r.param.slice(p.params.memory(r.param.Role))
		case inGrad:
			b = r.param.slice(p.params.grads)
		default:
			b = p.ws.arena.Slice(r.block.offset, r.bytes(p.dtype))
		}
		p.buffers[v] = b
		return b
	}
	shared := p.ws.arena.Slice(p.arena, p.scratch)
	for _, s := range p.steps {
		var in, out []op.Buffer
		for _, v := range s.in {
			in = append(in, buffer(v))
		}
		for _, v := range s.out {
			out = append(out, buffer(v))
		}
		scratch := shared
		if s.scratch != nil {
			scratch = p.ws.arena.Slice(s.scratch.offset, s.ownScratch())
		}
		run, err := s.kernel.Bind(&p.ws.ctx, in, out, scratch)
		if err != nil {
			return fmt.Errorf("binding %v: %w", s.call(p.dtype), err)
		}
		s.run = run
	}
	for _, v := range p.values {
		if v.root().block != nil {
			buffer(v)
		}
	}
	p.generation = p.ws.generation
	return nil
}

// ready makes sure that the steps are bound to the workspace's present arena.
func (p *Program) ready() error {
	if p.generation != p.ws.generation || p.generation == 0 {
		if err := p.bind(); err != nil {
			return err
		}
	}
	return nil
}

// Set copies an input's value, in the order of its shape, to the device. Inputs
// must be set before each run.
func (p *Program) Set(input *Node, vals []float32) error {
	if err := p.ready(); err != nil {
		return err
	}
	v := p.values[input]
	if v == nil {
		return nil // nothing reads it
	}
	if want := op.Size(v.shape); len(vals) != want {
		return fmt.Errorf("%s: %d values for shape %v", v.name, len(vals), v.shape)
	}
	if p.dtype == op.Float64 {
		wide := make([]float64, len(vals))
		for i, x := range vals {
			wide[i] = float64(x)
		}
		return p.SetFloat64(input, wide)
	}
	return p.buffers[v].Upload(bytesOf(vals))
}

// SetFloat64 is Set for programs that compute in float64.
func (p *Program) SetFloat64(input *Node, vals []float64) error {
	if err := p.ready(); err != nil {
		return err
	}
	return p.params.upload(p.buffers[p.values[input]], vals)
}

// SetLossScale sets what the gradients are multiplied by, 1 at first.
func (p *Program) SetLossScale(scale float64) { p.seedValue = scale }

// Run computes the outputs, the loss and the gradients.
func (p *Program) Run() error {
	if err := p.begin(); err != nil {
		return err
	}
	for _, s := range p.steps {
		s.run()
	}
	return p.ws.dev.Sync()
}

// begin readies the memory and, for training, names the pass's random masks.
func (p *Program) begin() error {
	if err := p.ready(); err != nil {
		return err
	}
	if !p.train {
		return nil
	}
	p.ws.ctx.Draw++
	if p.seed == nil || p.values[p.seed] == nil {
		return nil
	}
	return p.writeScalar(p.buffers[p.values[p.seed]], p.seedValue)
}

func (p *Program) writeScalar(b op.Buffer, x float64) error {
	size := p.dtype.Bytes()
	if p.dtype == op.Float64 {
		binary.NativeEndian.PutUint64(p.scalar[:], math.Float64bits(x))
	} else {
		binary.NativeEndian.PutUint32(p.scalar[:], math.Float32bits(float32(x)))
	}
	return b.Upload(p.scalar[:size])
}

// Read copies an output of the last run into dst, which has its size. It reads
// nothing that was not a Target.
func (p *Program) Read(output *Node, dst []float32) error {
	v := p.values[output]
	if v == nil || v.home != inResult {
		return fmt.Errorf("%s is not an output of this program", output.Name())
	}
	if want := op.Size(v.shape); len(dst) != want {
		return fmt.Errorf("%s: room for %d values of shape %v", v.name, len(dst), v.shape)
	}
	if p.dtype == op.Float64 {
		wide, err := readElements(p.buffers[v], p.dtype, len(dst))
		for i, x := range wide {
			dst[i] = float32(x)
		}
		return err
	}
	return p.buffers[v].Download(bytesOf(dst))
}

// ReadFloat64 returns an output of the last run at full width.
func (p *Program) ReadFloat64(output *Node) ([]float64, error) {
	v := p.values[output]
	if v == nil || v.home != inResult {
		return nil, fmt.Errorf("%s is not an output of this program", output.Name())
	}
	return readElements(p.buffers[v], p.dtype, op.Size(v.shape))
}

// Loss is the loss of the last run.
func (p *Program) Loss() (float64, error) {
	if p.loss == nil {
		return 0, fmt.Errorf("this program has no loss")
	}
	v := p.values[p.loss]
	if p.dtype == op.Float64 {
		err := p.buffers[v].Download(p.scalar[:8])
		return math.Float64frombits(binary.NativeEndian.Uint64(p.scalar[:])), err
	}
	err := p.buffers[v].Download(p.scalar[:4])
	return float64(math.Float32frombits(binary.NativeEndian.Uint32(p.scalar[:]))), err
}

// StepInfo describes one step of a program for profiles.
type StepInfo struct {
	// Call is the operation with its shapes.
	Call op.Call
	// Again tells that it repeats an earlier step in the backward pass, to save memory.
	Again bool
	// Work is what it costs.
	Work op.Work
	// Param is the parameter whose weight the step uses or whose gradient it
	// makes, "" where there is none.
	Param string
	// Kernel says how the device does it, where the device tells.
	Kernel string
}

// Steps describes the program's steps in the order of a run.
func (p *Program) Steps() []StepInfo {
	infos := make([]StepInfo, len(p.steps))
	for i, s := range p.steps {
		c := s.call(p.dtype)
		infos[i] = StepInfo{Call: c, Again: s.isAgain, Work: s.op.Work(c.In, c.Out)}
		for _, v := range slices.Concat(s.out, s.in) {
			if r := v.root(); r.param != nil {
				infos[i].Param = r.param.Name
				break
			}
		}
		if d, ok := s.kernel.(fmt.Stringer); ok {
			infos[i].Kernel = d.String()
		}
	}
	return infos
}

// RunTimed is Run that adds each step's time to times, which has as many entries
// as Steps.
func (p *Program) RunTimed(times []time.Duration) error {
	if err := p.begin(); err != nil {
		return err
	}
	for i, s := range p.steps {
		start := time.Now()
		s.run()
		if err := p.ws.dev.Sync(); err != nil {
			return err
		}
		times[i] += time.Since(start)
	}
	return nil
}
