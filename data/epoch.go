package data

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Epoch hands out the batches of one epoch in order while its workers make the
// next ones:
//
//	it := loader.Epoch(ctx, epoch, 0)
//	defer it.Close()
//	for it.Next() {
//		b := it.Batch()
//		... // use b
//		it.Release(b)
//	}
//	if err := it.Err(); err != nil { ... }
//
// An Epoch is for one goroutine.
type Epoch struct {
	loader *Loader
	number uint64
	order  sequence

	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup

	jobs  chan job
	made  chan *Batch   // in order; their jobs may still run
	ahead chan struct{} // one value for each batch begun and not handed out

	current *Batch
	err     error
	closed  bool
	skipped Skipped
	failed  map[int]bool
}

// Skipped counts the samples that an epoch could not read.
type Skipped struct {
	// Count is their number.
	Count int
	// Names are the first ten, in the order of the epoch.
	Names []string
	// First is the error of the first.
	First error
}

// errClosed is why a closed epoch ends.
var errClosed = errors.New("the epoch was closed")

// maxInRow is how many bad samples Replace passes over before it gives up: so
// many are no accident, but a disk that is gone.
const maxInRow = 100

// Next waits for the next batch. It returns false at the end of the epoch, when
// the context is cancelled, and on an error; Err tells which.
func (e *Epoch) Next() bool {
	e.current = nil
	for !e.closed {
		b, ok := e.wait()
		if !ok {
			break
		}
		if len(b.faults) > 0 {
			b.sortFaults()
			if e.err = e.judge(b); e.err != nil {
				e.loader.putBatch(b)
				break
			}
			if b.N == 0 {
				e.loader.putBatch(b)
				continue
			}
		}
		b.lent = true
		e.current = b
		return true
	}
	e.Close()
	return false
}

// wait returns the next batch when all its jobs are done, or false at the end or
// where the epoch is cancelled.
func (e *Epoch) wait() (*Batch, bool) {
	if b, ok := receive(e.ctx, e.made); ok {
		if _, ok := receive(e.ctx, b.ready); ok {
			<-e.ahead
			return b, true
		}
	}
	if err := context.Cause(e.ctx); !errors.Is(err, errClosed) {
		e.err = err
	}
	return nil, false
}

// receive takes a value from ch; false where it is closed or ctx is cancelled.
func receive[T any](ctx context.Context, ch <-chan T) (v T, ok bool) {
	select {
	case <-ctx.Done():
		return v, false
	case v, ok = <-ch:
		return v, ok && ctx.Err() == nil
	}
}

// judge applies the error policy to a batch with faults.
func (e *Epoch) judge(b *Batch) error {
	if e.loader.options.OnError == Stop {
		return b.faults[0].err
	}
	inRow := 0
	for i, f := range b.faults {
		if inRow++; i > 0 && f.slot != b.faults[i-1].slot {
			inRow = 1
		}
		if !e.failed[f.index] {
			e.failed[f.index] = true
			if e.skipped.Count++; e.skipped.Count == 1 {
				e.skipped.First = f.err
			}
			if len(e.skipped.Names) < 10 {
				e.skipped.Names = append(e.skipped.Names, e.loader.ds.Name(f.index))
			}
		}
		if len(e.failed) == e.order.distinct {
			return fmt.Errorf("none of the %d samples can be read; the first: %w", e.order.distinct, e.skipped.First)
		}
		if inRow == maxInRow {
			return fmt.Errorf("%d samples in a row cannot be read; the last: %w", inRow, f.err)
		}
	}
	if e.loader.options.OnError == Drop {
		b.dropFaults()
	}
	return nil
}

// Batch is the batch that Next found. It belongs to the caller until Release.
func (e *Epoch) Batch() *Batch { return e.current }

// Release gives a batch back, to be filled anew; once, and a second time does
// nothing until it is handed out again. A batch that is never released costs its
// memory and nothing else.
func (e *Epoch) Release(b *Batch) {
	if b == e.current {
		e.current = nil
	}
	if b.lent {
		b.lent = false
		e.loader.putBatch(b)
	}
}

// Err is nil after a whole epoch, the error of the first sample that ended it,
// or why the context was cancelled.
func (e *Epoch) Err() error { return e.err }

// Skipped tells of the samples that could not be read in the batches handed out
// so far.
func (e *Epoch) Skipped() Skipped { return e.skipped }

// Close stops the workers and waits until they are gone. It may be called at any
// time and more than once; Next calls it at the end.
func (e *Epoch) Close() {
	if e.closed {
		return
	}
	e.closed = true
	e.cancel(errClosed)
	e.running.Wait()
	for b := range e.made { // closed by dispatch
		e.loader.putBatch(b)
	}
}

// job is a part of a batch for one worker: samples from..to-1.
type job struct {
	batch    *Batch
	from, to int
}

// dispatch cuts the batches from start on into jobs, as far ahead as the
// options allow.
func (e *Epoch) dispatch(start int) {
	defer e.running.Done()
	defer close(e.made)
	defer close(e.jobs)
	size := e.loader.options.BatchSize
	// Some jobs a worker and batch: short enough to share the work evenly, long
	// enough to be worth handing over.
	chunk := max(1, size/(4*e.loader.options.Workers))
	for number := start; number < e.loader.Batches(); number++ {
		select {
		case <-e.ctx.Done():
			return
		case e.ahead <- struct{}{}:
		}
		n := min(size, len(e.order.indices)-number*size)
		b := e.loader.takeBatch(e.number, number, n)
		b.pending.Store(int32((n + chunk - 1) / chunk))
		e.made <- b // has room for as many as ahead
		for from := 0; from < n; from += chunk {
			select {
			case <-e.ctx.Done():
				return
			case e.jobs <- job{b, from, min(from+chunk, n)}:
			}
		}
	}
}

// work does jobs until there are no more.
func (e *Epoch) work() {
	defer e.running.Done()
	w := e.loader.takeWorker()
	defer e.loader.putWorker(w)
	for j := range e.jobs {
		last := false
		if e.loader.options.Timed {
			last = w.timed(e, j)
		} else {
			last = w.do(e, j)
		}
		if last {
			j.batch.ready <- struct{}{}
		}
	}
}
