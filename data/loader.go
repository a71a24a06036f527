package data

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/mix"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

// Transform makes network input of a picture; transform.Pipeline is one. It is
// used by many workers at once, each with its own Workspace and stream.
type Transform interface {
	// Shape is the output's height, width and channels.
	Shape() (height, width, channels int)
	// Apply fills dst, in the order height, width, channel, from src, which it
	// only reads. Every random choice comes from s.
	Apply(dst []float32, src *imaging.Image, w *transform.Workspace, s *rng.Stream) error
}

// encodedTransform is a Transform that decodes by itself, and then no more of a
// picture than it needs. transform.Pipeline is one.
type encodedTransform interface {
	Transform
	// ApplyEncoded is Apply to the contents of a picture file.
	ApplyEncoded(dst []float32, file []byte, w *transform.Workspace, s *rng.Stream) error
}

// turning is a Transform that does something every other time that a picture comes.
type turning interface{ Turns() bool }

// ErrorPolicy is what a Loader does about a sample that cannot be read.
type ErrorPolicy int

const (
	// Stop ends the epoch with the error.
	Stop ErrorPolicy = iota
	// Replace takes the next good sample of the epoch's order in its place, so
	// that batches keep their size: for training.
	Replace
	// Drop leaves the sample out, so that none counts twice: for evaluation.
	Drop
)

// LoaderOptions say how samples become batches.
type LoaderOptions struct {
	// BatchSize is the number of samples of a batch.
	BatchSize int
	// Shuffle gives every epoch its own order, drawn from Seed; otherwise it is
	// that of the data set.
	Shuffle bool
	// Sampler is shuffle or empty: every sample once an epoch; balanced: as many draws
	// as there are samples, each class as likely as any other; or sqrt: each class as
	// likely as the square root of its size, half-way. Both draw from Seed and may
	// take a sample several times, with another augmentation each time.
	Sampler string
	// Repeats is how often in a row an epoch takes each sample, with another
	// augmentation each time; 0 is 1. The epoch does not become longer (Samples): it
	// ends when it is full, so that with 3 it sees a third of the samples (Hoffer et
	// al. 2019, https://arxiv.org/abs/1901.09335).
	Repeats int
	// Spread is over how many batches in a row Repeats spreads the versions of a sample,
	// as timm's RepeatAugSampler does over as many processes; 0 is 1, all in one batch.
	Spread int
	// DropLast leaves out the last batch of an epoch where it would be short.
	DropLast bool
	// Workers is the number of goroutines that read and transform; 0 is one for
	// each core. It has no influence on what a batch holds.
	Workers int
	// Prefetch is the number of batches that are made ahead; 0 is 2.
	Prefetch int
	// Seed keys the order and the augmentation.
	Seed uint64
	// OnError is the policy for bad samples.
	OnError ErrorPolicy
	// Mix mixes the samples of each batch; nil for none.
	Mix *mix.Mixer
	// Splits is how many versions of each sample there are in a batch; 0 is 1. With
	// more, the first is clean: it has the crop and the flips that all of them have,
	// and no other augmentation.
	Splits int
	// Timed measures what the workers do, for Times.
	Timed bool
}

// Loader makes batches of a Dataset. What batch b of epoch e holds is a function
// of the options and (e, b) alone, whatever the number of workers and wherever
// the epoch was begun. A Loader is safe for concurrent use.
type Loader struct {
	ds                      Dataset
	transform               Transform
	options                 LoaderOptions
	height, width, channels int
	targeted                Targeted // nil where labels are all there is
	outputs                 int      // numbers in a target
	turns                   bool     // the transform's; see turning
	sampler                 *sampler

	mu      sync.Mutex
	batches []*Batch  // free
	workers []*worker // free
	times   Times
}

// NewLoader returns a Loader of ds through t. Tensors go past t, which then only
// states their shape.
func NewLoader(ds Dataset, t Transform, o LoaderOptions) (*Loader, error) {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Prefetch == 0 {
		o.Prefetch = 2
	}
	if o.Splits == 0 {
		o.Splits = 1
	}
	if o.BatchSize < 1 || o.Workers < 1 || o.Prefetch < 1 {
		return nil, fmt.Errorf("a loader with a batch size of %d, %d workers and %d batches ahead; each must be at least 1",
			o.BatchSize, o.Workers, o.Prefetch)
	}
	if o.OnError < Stop || o.OnError > Drop {
		return nil, fmt.Errorf("error policy %d; it must be Stop, Replace or Drop", o.OnError)
	}
	if o.Splits < 1 || o.Splits > 1 && o.Mix != nil {
		return nil, fmt.Errorf("a loader with %d versions of each sample; there must be at least 1, and no more where samples are mixed", o.Splits)
	}
	if o.OnError == Drop && (o.Mix != nil || o.Splits > 1) {
		return nil, fmt.Errorf("a loader that mixes samples, or has several versions of each, cannot drop those that cannot be read; it may stop or replace them")
	}
	if ds.Len() == 0 {
		return nil, fmt.Errorf("a loader for a data set without samples")
	}
	if n := o.Samples(ds.Len()); o.DropLast && n < o.BatchSize {
		return nil, fmt.Errorf("%d samples and a batch size of %d, and short batches are dropped: no batch is left; make batches smaller",
			n, o.BatchSize)
	}
	l := &Loader{ds: ds, transform: t, options: o}
	var err error
	if l.sampler, err = newSampler(ds, o); err != nil {
		return nil, err
	}
	l.height, l.width, l.channels = t.Shape()
	if t, ok := t.(turning); ok {
		l.turns = t.Turns()
	}
	l.targeted, _ = ds.(Targeted)
	if l.targeted != nil || o.Mix != nil {
		l.outputs = len(ds.Classes())
	}
	return l, nil
}

// Dataset is what the Loader makes batches of.
func (l *Loader) Dataset() Dataset { return l.ds }

// Through is a Loader of the same samples in the same order through another
// transform.
func (l *Loader) Through(t Transform) (*Loader, error) { return NewLoader(l.ds, t, l.options) }

// Options are what the Loader was made with, its defaults filled in.
func (l *Loader) Options() LoaderOptions { return l.options }

// SetSeed changes what keys the order and the augmentation of epochs that begin from
// now on. No epoch may be under way.
func (l *Loader) SetSeed(seed uint64) { l.options.Seed = seed }

// Shape is the height, width and channels of an image.
func (l *Loader) Shape() (height, width, channels int) { return l.height, l.width, l.channels }

// Batches is the number of batches in an epoch.
func (l *Loader) Batches() int {
	n, size := l.options.Samples(l.ds.Len()), l.options.BatchSize
	if l.options.DropLast {
		return n / size
	}
	return (n + size - 1) / size
}

// Times is what the workers have spent so far, if the options ask for it.
func (l *Loader) Times() Times {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times
}

// Epoch starts to make the batches of an epoch, from batch start on: 0, or where
// an interrupted run goes on. The caller takes them with Next, and calls Close
// or cancels ctx if it leaves before the end.
func (l *Loader) Epoch(ctx context.Context, epoch uint64, start int) *Epoch {
	ctx, cancel := context.WithCancelCause(ctx)
	e := &Epoch{
		loader: l, number: epoch, order: l.sampler.epoch(epoch),
		ctx: ctx, cancel: cancel,
		jobs:   make(chan job, l.options.Workers),
		made:   make(chan *Batch, l.options.Prefetch),
		ahead:  make(chan struct{}, l.options.Prefetch),
		failed: map[int]bool{},
	}
	e.running.Add(1 + l.options.Workers)
	go e.dispatch(max(start, 0))
	for range l.options.Workers {
		go e.work()
	}
	return e
}

// takeBatch returns a free batch of n samples of an epoch, or a new one.
func (l *Loader) takeBatch(epoch uint64, number, n int) *Batch {
	l.mu.Lock()
	var b *Batch
	if last := len(l.batches) - 1; last >= 0 {
		b, l.batches = l.batches[last], l.batches[:last]
	}
	l.mu.Unlock()
	if b == nil {
		size := l.options.BatchSize * l.options.Splits
		b = &Batch{
			Splits: l.options.Splits,
			Height: l.height, Width: l.width, Channels: l.channels,
			Images:  make([]float32, size*l.height*l.width*l.channels),
			Labels:  make([]int32, size),
			Targets: make([]float32, size*l.outputs),
			outputs: l.outputs,
			Indices: make([]int, size),
			ready:   make(chan struct{}, 1),
		}
		if l.options.Mix != nil {
			b.shares = make([]mix.Share, size)
		}
	}
	b.Epoch, b.Number = epoch, number
	b.faults = b.faults[:0]
	select { // a batch that was given up may still say that it is ready
	case <-b.ready:
	default:
	}
	b.resize(n)
	return b
}

func (l *Loader) putBatch(b *Batch) {
	l.mu.Lock()
	l.batches = append(l.batches, b)
	l.mu.Unlock()
}

func (l *Loader) takeWorker() *worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := len(l.workers) - 1; last >= 0 {
		w := l.workers[last]
		l.workers = l.workers[:last]
		return w
	}
	return new(worker)
}

func (l *Loader) putWorker(w *worker) {
	l.mu.Lock()
	l.workers = append(l.workers, w)
	l.mu.Unlock()
}
