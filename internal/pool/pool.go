package pool

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work in numbered pieces.
type Task interface {
	// Do does piece i. No two calls with the same worker, which lies in
	// [0, Pool.Threads()), run at the same time.
	Do(worker, i int)
}

// Pool is a set of goroutines that share the pieces of one Task at a time.
// Run may be called from several goroutines (the calls then take turns), but
// not from inside a Task's Do.
type Pool struct {
	mu      sync.Mutex // serialises Run and Close
	task    Task
	shares  []share // one a worker
	helpers []*helper
	done    chan struct{} // the last helper to leave a closed job tells a waiting Run
	panics  atomic.Pointer[workerPanic]

	_     [64]byte      // the hot word on a cache line of its own
	state atomic.Uint64 // see the constants below
	_     [64]byte
}

// share is the pieces that a worker does before it helps another: the same part of every
// job, so that what a task leaves in a processor's cache is there for the next task.
type share struct {
	next atomic.Int64
	end  int64
	_    [48]byte // workers' shares lie on cache lines of their own
}

// state holds, from the lowest bit: the number of helpers inside the current
// job, whether helpers may still enter it, whether Run sleeps until they have
// left, whether the pool is closing, and the job's serial number. A helper
// touches task and shares only while it is counted inside, so Run may replace them
// as soon as the job is not open and nobody is inside.
const (
	insideMask = 1<<16 - 1
	openBit    = 1 << 16
	waitBit    = 1 << 17
	quitBit    = 1 << 18
	serialOne  = 1 << 20
)

// Rounds of busy waiting before a goroutine parks. A round reads the state
// spinReads times and then lets other goroutines run; a whole wait is some 100
// microseconds.
const (
	spinRounds = 300
	spinReads  = 100
)

type helper struct {
	parked atomic.Bool
	wake   chan struct{}
}

type workerPanic struct {
	value any
	stack []byte
}

// New makes a pool of the given number of threads, the caller of Run included;
// zero or less means one for each processor that Go may use.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{done: make(chan struct{}, 1), shares: make([]share, threads)}
	for w := 1; w < threads; w++ {
		h := &helper{wake: make(chan struct{}, 1)}
		p.helpers = append(p.helpers, h)
		go p.help(w, h)
	}
	return p
}

// Threads is the number of goroutines that a Run uses at most.
func (p *Pool) Threads() int { return len(p.helpers) + 1 }

// Run calls t.Do once for every i in [0, n) and returns when all calls have.
// If a call panics, Run panics in the caller's goroutine after the others
// have ended.
func (p *Pool) Run(n int, t Task) {
	if n <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 1 || len(p.helpers) == 0 {
		for i := range n {
			t.Do(0, i)
		}
		return
	}
	p.task = t
	for w := range p.shares {
		p.shares[w].next.Store(int64(n * w / len(p.shares)))
		p.shares[w].end = int64(n * (w + 1) / len(p.shares))
	}
	serial := p.state.Load() &^ (serialOne - 1)
	p.state.Store(serial + serialOne | openBit)
	for _, h := range p.helpers[:min(len(p.helpers), n-1)] {
		if h.parked.Load() && h.parked.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
	p.work(0)
	p.leaveAll()
	p.task = nil
	if e := p.panics.Swap(nil); e != nil {
		panic(fmt.Sprintf("%v\n\nthe goroutine that panicked:\n%s", e.value, e.stack))
	}
}

// Close ends the pool's goroutines. A Run after Close uses the caller alone.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Or(quitBit)
	for _, h := range p.helpers {
		if h.parked.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
	p.helpers = nil
}

// work takes the worker's own pieces and then those of others until none is left.
func (p *Pool) work(worker int) {
	defer p.catch()
	t := p.task
	for other := range p.shares {
		s := &p.shares[(worker+other)%len(p.shares)]
		for {
			i := s.next.Add(1) - 1
			if i >= s.end {
				break
			}
			t.Do(worker, int(i))
		}
	}
}

// catch keeps the first panic of a job for Run and withdraws the pieces that
// nobody has taken yet.
func (p *Pool) catch() {
	if v := recover(); v != nil {
		stack := make([]byte, 8<<10)
		stack = stack[:runtime.Stack(stack, false)]
		p.panics.CompareAndSwap(nil, &workerPanic{v, stack})
		for w := range p.shares {
			p.shares[w].next.Store(p.shares[w].end)
		}
	}
}

// leaveAll closes the job to newcomers and waits until every helper inside
// has left.
func (p *Pool) leaveAll() {
	p.state.And(^uint64(openBit))
	for range spinRounds {
		for range spinReads {
			if p.state.Load()&insideMask == 0 {
				return
			}
		}
		runtime.Gosched()
	}
	for {
		s := p.state.Load()
		if s&insideMask == 0 {
			return
		}
		if p.state.CompareAndSwap(s, s|waitBit) {
			<-p.done
			p.state.And(^uint64(waitBit))
			return
		}
	}
}

// help is a helper's life: enter each job that is open, work, leave.
func (p *Pool) help(worker int, h *helper) {
	var last uint64 // serial number of the job this helper has seen the end of
	for {
		s, ok := p.await(h, last)
		if !ok {
			return
		}
		if !p.state.CompareAndSwap(s, s+1) {
			continue
		}
		last = s / serialOne
		p.work(worker)
		s = p.state.Add(^uint64(0))
		if s&insideMask == 0 && s&waitBit != 0 {
			p.done <- struct{}{}
		}
	}
}

// await returns the state when a job other than last is open; ok is false
// when the pool is closing.
func (p *Pool) await(h *helper, last uint64) (s uint64, ok bool) {
	for {
		for range spinRounds {
			for range spinReads {
				s = p.state.Load()
				if s&quitBit != 0 {
					return s, false
				}
				if s&openBit != 0 && s/serialOne != last {
					return s, true
				}
			}
			runtime.Gosched()
		}
		h.parked.Store(true)
		// A job that opened before parked was set may not have seen it.
		s = p.state.Load()
		missed := s&quitBit != 0 || s&openBit != 0 && s/serialOne != last
		if missed && h.parked.CompareAndSwap(true, false) {
			continue
		}
		<-h.wake
	}
}
