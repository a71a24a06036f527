package train

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/seed52467199/trainer/graph"
)

// programBytes is about what the process takes beside what is counted: its code,
// its threads, Go's runtime, and what decoding images needs.
const programBytes = 44 << 20

// GarbagePercent is how much garbage, as a part of what is held on Go's heap, the plan
// leaves room for. It holds for a process that calls debug.SetGCPercent with it.
const GarbagePercent = 20

// Holding is what a training keeps in memory beside the network.
type Holding struct {
	// Copies is how many times all trained parameters are held beside weights and
	// gradients, such as by a moving average.
	Copies int
	// Bytes is the memory held besides, such as the optimizer's state.
	Bytes int
	// Images is how many images are used or made ahead at a time, beside those that
	// are there already.
	Images int
	// Evaluation is how many bytes an evaluation keeps of all its images.
	Evaluation int
}

// MemoryPlan says what memory a training takes, in bytes, before it takes it.
type MemoryPlan struct {
	// Limit is what it may take, 0 for any.
	Limit int
	// Parameters is for weights, gradients, the optimizer's state and averages, and
	// the weights of a teacher.
	Parameters int
	// Input is for images, data held in memory, and the program itself; it is only
	// counted under a limit.
	Input int
	// Activations is the working memory of a training pass.
	Activations graph.MemoryPlan
}

// Total is what the process takes.
func (m MemoryPlan) Total() int { return m.Parameters + m.Input + m.Activations.Bytes }

// PlanMemory compiles the training programs for a batch size so that the process
// keeps limit, 0 for none; where it has to, by computing activations again. A limit
// that cannot be kept is a *MemoryError.
func (n *Network) PlanMemory(limit, batch int, accumulate bool, h Holding) (MemoryPlan, error) {
	ps := n.Params
	m := MemoryPlan{Limit: limit, Parameters: (2+h.Copies)*ps.Trained().Len() + h.Bytes + ps.Statistics().Len()}
	if n.distill != nil {
		t := n.distill.teacher.Params
		m.Parameters += t.Trained().Len() + t.Statistics().Len()
		if n.distill.scale != nil { // images as it takes them
			h.Images += batch * n.distill.teacher.Channels / n.Channels
		}
	}
	if limit > 0 {
		heap := heapBytes() + 4*h.Images*n.Height*n.Width*n.Channels + h.Evaluation + n.savingBytes()
		m.Input = programBytes + heap*(100+GarbagePercent)/100
		n.Memory = max(1, limit-m.Parameters-m.Input)
	}
	p, err := n.program(programKey{batch: batch, train: true})
	if err == nil && accumulate {
		_, err = n.program(programKey{batch: batch, train: true, accumulate: true})
	}
	var short *graph.MemoryError
	if errors.As(err, &short) {
		return m, &MemoryError{Plan: m, Batch: batch, Least: m.Parameters + m.Input + short.Least, Smaller: n.smaller(batch, short)}
	}
	if err != nil {
		return m, err
	}
	m.Activations = p.MemoryPlan()
	if n.distill != nil {
		err = n.planTeacher(&m, batch)
	}
	return m, err
}

// planTeacher makes room for the teacher's pass: its memory is the training's own, so
// that only what it takes more counts.
func (n *Network) planTeacher(m *MemoryPlan, batch int) error {
	p, err := n.distill.teacher.Program(batch, false)
	if err != nil {
		return err
	}
	m.Activations.Bytes = max(m.Activations.Bytes, p.ArenaBytes())
	m.Activations.Whole = max(m.Activations.Whole, p.ArenaBytes())
	if m.Limit > 0 && p.ArenaBytes() > n.Memory {
		return &MemoryError{Plan: *m, Batch: batch, Least: m.Parameters + m.Input + p.ArenaBytes()}
	}
	return nil
}

// savingBytes is what one parameter at a time takes on its way to a checkpoint.
func (n *Network) savingBytes() int {
	largest := 0
	for _, p := range n.Params.All() {
		largest = max(largest, p.Len())
	}
	return 2 * 4 * largest
}

// heapBytes is the size of what is held on Go's heap, such as a data set. What is
// not held goes back to the system.
func heapBytes() int {
	debug.FreeOSMemory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}

// evalBatch is the largest batch size, the given one or a part of it, whose evaluation
// does with this working memory.
func (n *Network) evalBatch(most, room int) (int, error) {
	for b := most; ; b = (b + 1) / 2 {
		p, err := n.Program(b, false)
		if err != nil || b == 1 || p.ArenaBytes() <= room {
			return b, err
		}
	}
}

// smaller is a batch size for which there is room, 0 if none is found. Activations
// grow with the batch.
func (n *Network) smaller(batch int, short *graph.MemoryError) int {
	for b := int(float64(batch) * float64(short.Limit) / float64(short.Least)); b > 0; b = b * 7 / 8 {
		if _, err := n.program(programKey{batch: b, train: true}); err == nil {
			return b
		}
	}
	return 0
}

// MemoryError says that a training does not fit into the memory that it may take.
type MemoryError struct {
	Plan  MemoryPlan
	Batch int
	// Least is what would do, and Smaller a batch size for which the limit would,
	// 0 if there is none.
	Least, Smaller int
}

// Error is a sentence that begins with the limit.
func (e *MemoryError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s is too little for batches of %d: parameters and optimizer take %s, images and the program %s, and activations at least %s with all recomputed that can be; %s would do",
		mib(e.Plan.Limit), e.Batch, mib(e.Plan.Parameters), mib(e.Plan.Input), mib(e.Least-e.Plan.Parameters-e.Plan.Input), mib(e.Least))
	if e.Smaller > 0 {
		fmt.Fprintf(&s, ", or batches of %d", e.Smaller)
	}
	return s.String()
}

// mib is an amount of memory, rounded up.
func mib(bytes int) string { return fmt.Sprintf("%d MiB", (bytes+1<<20-1)>>20) }
