package data

import (
	"fmt"
	"time"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

// worker has the buffers of one goroutine that makes samples.
type worker struct {
	sample    Sample
	decoded   imaging.Image
	workspace transform.Workspace
	stream    rng.Stream
	variation rng.Stream
	keys      []uint64 // of stream
	clock     transform.Clock
}

// Times is what a Loader's workers spent, added up over all of them.
type Times struct {
	// All is the whole time, Decode and Resize that of the transform's two parts.
	All, Decode, Resize time.Duration
}

// timed is do, and books its time.
func (w *worker) timed(e *Epoch, j job) (last bool) {
	w.clock = transform.Clock{}
	w.workspace.Clock = &w.clock
	start := time.Now()
	last = w.do(e, j)
	all := time.Since(start)
	w.workspace.Clock = nil
	l := e.loader
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times.All += all
	l.times.Decode += w.clock.Decode
	l.times.Resize += w.clock.Resize
	return last
}

// do makes the samples of a job. It tells whether it was the batch's last: then it
// has mixed them too, and the batch is complete.
func (w *worker) do(e *Epoch, j job) (last bool) {
	for slot := j.from; slot < j.to && e.ctx.Err() == nil; slot++ {
		w.fill(e, j.batch, slot)
	}
	if j.batch.pending.Add(-1) > 0 {
		return false
	}
	if m := e.loader.options.Mix; m != nil && e.ctx.Err() == nil {
		j.batch.mix(m, e.number)
	}
	return true
}

// fill makes one sample of a batch. What it does about a bad one depends only on
// the order and the position in it, never on other workers.
func (w *worker) fill(e *Epoch, b *Batch, slot int) {
	position := b.Number*e.loader.options.BatchSize + slot
	tries := 1
	if e.loader.options.OnError == Replace {
		tries = min(len(e.order.indices), maxInRow)
	}
	for try := range tries {
		at := (position + try) % len(e.order.indices)
		index := e.order.indices[at]
		err := w.load(e.loader, e.number, index, e.order.before(at), b, slot)
		if err == nil {
			for at := slot; at < b.N; at += b.samples() {
				w.label(e.loader, index, b, at)
			}
			return
		}
		b.report(fault{slot, index, err})
		if e.ctx.Err() != nil {
			return
		}
	}
}

// label notes what is right for a picture of a batch.
func (w *worker) label(l *Loader, index int, b *Batch, at int) {
	b.Indices[at], b.Labels[at] = index, int32(l.ds.Label(index))
	if l.targeted != nil {
		l.targeted.Target(index, b.target(at))
	} else if target := b.target(at); len(target) > 0 {
		clear(target)
		target[b.Labels[at]] = 1
	}
}

// load reads a sample and transforms it into a batch, once for each version. earlier is
// how often the epoch has taken it before: each time is augmented on its own.
func (w *worker) load(l *Loader, epoch uint64, index int, earlier uint64, b *Batch, slot int) (err error) {
	// A hostile file that trips a decoder is one more bad sample, not a crash.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: the decoder failed on it: %v", l.ds.Name(index), p)
		}
	}()
	if err := l.ds.Read(index, &w.sample); err != nil {
		return err
	}
	if t := &w.sample.Tensor; t.Values != nil {
		standardize, rows := l.transform.(*Standardize)
		if len(t.Features) > 0 && !rows {
			return fmt.Errorf("%s: a row of numbers, where pictures are wanted", l.ds.Name(index))
		}
		if t.Height != l.height || t.Width != l.width || t.Channels != l.channels {
			return fmt.Errorf("%s: a tensor of %d channels and %dx%d; the network takes %d channels and %dx%d",
				l.ds.Name(index), t.Channels, t.Height, t.Width, l.channels, l.height, l.width)
		}
		for at := slot; at < b.N; at += b.samples() {
			if len(t.Features) > 0 {
				standardize.row(b.image(at), t.Values)
			} else {
				interleave(b.image(at), t)
			}
		}
		return nil
	}
	if l.turns { // from a beginning of its own, each picture takes turns
		w.stream.Reset(l.options.Seed, "turn", uint64(index))
		w.workspace.Turned = w.stream.Bernoulli(0.5) != ((epoch+earlier)%2 == 1)
	}
	for version := range b.Splits {
		w.keys = append(w.keys[:0], epoch, uint64(index))
		if earlier > 0 {
			w.keys = append(w.keys, earlier)
		}
		w.stream.Reset(l.options.Seed, "augment", w.keys...)
		if b.Splits > 1 {
			w.variation.Reset(l.options.Seed, "vary", epoch, uint64(index), uint64(version), earlier)
			w.workspace.Clean, w.workspace.Variation = version == 0, &w.variation
		}
		if err := w.transform(l, b.image(slot+version*b.samples())); err != nil {
			return fmt.Errorf("%s: %w", l.ds.Name(index), err)
		}
	}
	return nil
}

// transform makes network input of the sample that was read.
func (w *worker) transform(l *Loader, dst []float32) error {
	if t, ok := l.transform.(encodedTransform); ok && w.sample.Encoded != nil {
		return t.ApplyEncoded(dst, w.sample.Encoded, &w.workspace, &w.stream)
	}
	picture, err := w.sample.Picture(&w.decoded, l.channels)
	if err != nil {
		return err
	}
	return l.transform.Apply(dst, picture, &w.workspace, &w.stream)
}

// interleave writes a tensor's planes in the order height, width, channel.
func interleave(dst []float32, t *Tensor) {
	n := t.Height * t.Width
	for c := range t.Channels {
		plane := t.Values[c*n : (c+1)*n]
		for i, v := range plane {
			dst[i*t.Channels+c] = v
		}
	}
}
