package graph

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// Node is a value of a graph.
type Node = op.Node

// Shape is the extent of each axis, slowest first.
type Shape = op.Shape

// Device owns memory and makes kernels.
type Device interface {
	// Name says what the device is, for people.
	Name() string
	// Alloc returns zeroed memory, aligned for the device's kernels. Several
	// goroutines may upload to different parts of it.
	Alloc(bytes int) (op.Buffer, error)
	// Kernel chooses an implementation of the call.
	Kernel(c op.Call) (op.Kernel, error)
	// Sync waits until everything started on the device is done.
	Sync() error
}

// Workspace is the memory in which programs of one device keep what lives
// during a run. Programs that share a workspace must not run at the same time.
type Workspace struct {
	dev        Device
	arena      op.Buffer
	generation int // counts the arenas, so that programs know when to bind again
	ctx        op.Context
}

// NewWorkspace returns an empty workspace on a device. The seed is that of every
// random mask drawn in it.
func NewWorkspace(dev Device, seed uint64) *Workspace {
	return &Workspace{dev: dev, ctx: op.Context{Seed: seed}}
}

// Device is where the workspace lives.
func (w *Workspace) Device() Device { return w.dev }

// Draws is the number of training passes so far; with the seed it names the next
// pass's random masks.
func (w *Workspace) Draws() uint64 { return w.ctx.Draw }

// SetDraws continues the random masks from an earlier run's Draws.
func (w *Workspace) SetDraws(n uint64) { w.ctx.Draw = n }

// Bytes is the size of the arena now.
func (w *Workspace) Bytes() int {
	if w.arena == nil {
		return 0
	}
	return w.arena.Len()
}

// reserve makes the arena at least n bytes long.
func (w *Workspace) reserve(n int) error {
	if w.arena != nil && w.arena.Len() >= n {
		return nil
	}
	w.arena = nil // let the old one go before the new one comes
	b, err := w.dev.Alloc(n)
	if err != nil {
		return fmt.Errorf("allocating %d MiB of working memory on %s: %w", n>>20, w.dev.Name(), err)
	}
	w.arena = b
	w.generation++
	return nil
}
