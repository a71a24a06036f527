package report

import (
	"errors"
	"io"
)

// Listener does something with the events of a run. Handle is called from
// one goroutine at a time, in the order in which things happened. It must
// ignore the kinds that do not concern it, and return fast for a Step.
type Listener interface{ Handle(Event) error }

// Func is a function as a Listener.
type Func func(Event) error

// Handle calls f.
func (f Func) Handle(e Event) error { return f(e) }

// Listeners is several listeners as one.
type Listeners []Listener

// Tee joins listeners; those that are nil are left out.
func Tee(listeners ...Listener) Listeners {
	var all Listeners
	for _, l := range listeners {
		if l != nil {
			all = append(all, l)
		}
	}
	return all
}

// Handle gives the event to every listener, also after one has failed, and
// returns all errors joined.
func (ls Listeners) Handle(e Event) error {
	var failed error
	for _, l := range ls {
		if err := l.Handle(e); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// Close closes every listener that can be closed and returns all errors joined.
func (ls Listeners) Close() error {
	var failed error
	for _, l := range ls {
		if c, ok := l.(io.Closer); ok {
			failed = errors.Join(failed, c.Close())
		}
	}
	return failed
}

// window is the mean loss of the updates since it was last taken, weighted
// by their images: what a figure stands for that is written only now and then.
type window struct {
	loss   float64 // sum over images
	images int
}

func (w *window) add(s *Step) {
	w.loss += s.Loss * float64(s.Images)
	w.images += s.Images
}

// take returns the mean and starts a new window. The mean of no image is NaN.
func (w *window) take() float64 {
	mean := w.mean()
	*w = window{}
	return mean
}

func (w *window) mean() float64 { return w.loss / float64(w.images) }

// due says whether an update is one of every so many; never where every is
// not positive.
func due(update, every int) bool { return every > 0 && update%every == 0 }
