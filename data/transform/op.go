package transform

import (
	"time"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/adjust"
	"github.com/seed52467199/trainer/internal/rng"
)

// Op is one step on a picture, in 8 bits. It reads w.Current, writes its result
// into w.Target and calls w.Commit; or it sets a view by w.View; or it does
// nothing. It never writes to w.Current, which may be the data set's own memory.
// An Op holds no state that changes: many workers share it.
type Op interface {
	Apply(w *Workspace, s *rng.Stream)
}

// Workspace holds the pictures and tables that the steps on one picture need,
// for reuse with the next. The zero Workspace is ready. A worker has its own.
type Workspace struct {
	// Resizer resamples for the ops.
	Resizer imaging.Resizer
	// Clean leaves a picture at crop and flips: a Pipeline does no other augmentation.
	Clean bool
	// Variation, where set, is the stream from which any other augmentation draws, so
	// that versions of a picture have their crop and flips in common.
	Variation *rng.Stream
	// Turned is set every other time that a picture comes, for a Pipeline that mirrors
	// by turns.
	Turned bool
	// Clock adds up what a Pipeline spends, if it is there.
	Clock *Clock

	decoder imaging.Decoder
	decoded imaging.Image
	row     []uint8 // to mirror

	adjuster adjust.Adjuster
	table    adjust.Table
	mixing

	current *imaging.Image
	view    imaging.Image
	buffers [2]imaging.Image
	next    int
}

// Clock is time that pictures took.
type Clock struct {
	// Decode is that of decoding, and Resize that of ops, flips and
	// normalisation, which are one pass with the resize where only a random crop
	// is done.
	Decode, Resize time.Duration
}

// now is the time if anybody wants to know.
func (w *Workspace) now() (t time.Time) {
	if w.Clock != nil {
		t = time.Now()
	}
	return t
}

// decoded and resized book the time since start.
func (c *Clock) decoded(start time.Time) {
	if c != nil {
		c.Decode += time.Since(start)
	}
}

func (c *Clock) resized(start time.Time) {
	if c != nil {
		c.Resize += time.Since(start)
	}
}

// varying is an op beyond crop and flips.
type varying struct{ Op }

// Apply implements Op.
func (v varying) Apply(w *Workspace, s *rng.Stream) {
	if s = w.varied(s); s != nil {
		v.Op.Apply(w, s)
	}
}

// varied is the stream of what is done beyond crop and flips, nil for nothing. s is
// theirs.
func (w *Workspace) varied(s *rng.Stream) *rng.Stream {
	switch {
	case w.Clean:
		return nil
	case w.Variation != nil:
		return w.Variation
	}
	return s
}

// Start makes src the current picture. It is only read.
func (w *Workspace) Start(src *imaging.Image) { w.View(*src) }

// Current is the picture so far. It is read-only.
func (w *Workspace) Current() *imaging.Image { return w.current }

// Target is a buffer for the next picture. It never shares pixels with Current.
func (w *Workspace) Target() *imaging.Image { return &w.buffers[w.next] }

// Commit makes Target the current picture.
func (w *Workspace) Commit() {
	w.current = &w.buffers[w.next]
	w.next = 1 - w.next
}

// View makes a view of the current picture, such as a crop, the current one.
func (w *Workspace) View(v imaging.Image) {
	w.view = v
	w.current = &w.view
}
