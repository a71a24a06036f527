package pool_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed52467199/trainer/internal/pool"
)

// counter counts how often each piece was done and watches that no worker
// number is in use twice at a time.
type counter struct {
	t    *testing.T
	hits []atomic.Int32
	busy []atomic.Bool
}

func newCounter(t *testing.T, n, threads int) *counter {
	return &counter{t, make([]atomic.Int32, n), make([]atomic.Bool, threads)}
}

func (c *counter) Do(worker, i int) {
	if c.busy[worker].Swap(true) {
		c.t.Errorf("worker %d runs two pieces at a time", worker)
	}
	c.hits[i].Add(1)
	c.busy[worker].Store(false)
}

func (c *counter) check(want int32) {
	c.t.Helper()
	for i := range c.hits {
		if got := c.hits[i].Load(); got != want {
			c.t.Fatalf("piece %d of %d done %d times, want %d", i, len(c.hits), got, want)
		}
	}
}

func TestRunDoesEveryPieceOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := pool.New(threads)
		if p.Threads() != threads {
			t.Errorf("New(%d) has %d threads", threads, p.Threads())
		}
		for _, n := range []int{0, 1, 2, 3, 100, 1000} {
			c := newCounter(t, n, threads)
			for range 50 {
				p.Run(n, c)
			}
			c.check(50)
		}
		p.Close()
	}
}

// TestRunAfterIdle crosses the border between spinning and parking.
func TestRunAfterIdle(t *testing.T) {
	p := pool.New(3)
	defer p.Close()
	c := newCounter(t, 64, 3)
	for i := range 40 {
		time.Sleep(time.Duration(i*20) * time.Microsecond)
		p.Run(64, c)
	}
	c.check(40)
}

func TestRunFromManyGoroutines(t *testing.T) {
	p := pool.New(4)
	defer p.Close()
	var wg sync.WaitGroup
	for range 6 {
		c := newCounter(t, 37, 4)
		wg.Go(func() {
			for range 200 {
				p.Run(37, c)
			}
			c.check(200)
		})
	}
	wg.Wait()
}

func TestRunAfterClose(t *testing.T) {
	p := pool.New(4)
	p.Close()
	c := newCounter(t, 9, 4)
	p.Run(9, c)
	c.check(1)
}

type slow struct{ d time.Duration }

func (s slow) Do(_, i int) { time.Sleep(s.d) }

// TestRunWaitsForSlowHelpers makes Run sleep until the last helper has left.
func TestRunWaitsForSlowHelpers(t *testing.T) {
	p := pool.New(4)
	defer p.Close()
	for range 10 {
		p.Run(5, slow{3 * time.Millisecond})
	}
}

type bomb struct{ at int }

func (b bomb) Do(_, i int) {
	if i == b.at {
		panic("piece seven")
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	p := pool.New(3)
	defer p.Close()
	for range 20 {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "piece seven") {
					t.Errorf("Run panicked with %v, want piece seven", v)
				}
			}()
			p.Run(50, bomb{7})
		}()
	}
	c := newCounter(t, 50, 3)
	p.Run(50, c)
	c.check(1)
}

type nothing struct{}

func (*nothing) Do(_, _ int) {}

func TestRunAllocatesNothing(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	n := &nothing{}
	if a := testing.AllocsPerRun(200, func() { p.Run(10, n) }); a != 0 {
		t.Errorf("Run allocates %v times", a)
	}
}

func BenchmarkRun(b *testing.B) {
	p := pool.New(0)
	defer p.Close()
	n := &nothing{}
	b.ReportAllocs()
	for b.Loop() {
		p.Run(2*p.Threads(), n)
	}
}

// rowSums is a Task: piece i sums row i.
type rowSums struct {
	rows [][]int
	sums []int
}

func (t *rowSums) Do(_, i int) {
	for _, v := range t.rows[i] {
		t.sums[i] += v
	}
}

func Example() {
	p := pool.New(2)
	defer p.Close()
	t := &rowSums{rows: [][]int{{1, 2}, {3, 4}, {5}}, sums: make([]int, 3)}
	p.Run(len(t.rows), t)
	fmt.Println(t.sums)
	// Output: [3 7 5]
}
