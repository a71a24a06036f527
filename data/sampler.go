package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/seed52467199/trainer/internal/rng"
)

// repeatRound is what the length of an epoch is rounded down to under repeated
// augmentation.
const repeatRound = 256

// powers of the classes' frequencies by which the samplers weigh.
var samplers = map[string]float64{"shuffle": 0, "balanced": 1, "sqrt": 0.5}

// Samples is the number of samples in an epoch over a data set of n: all of them,
// or with Repeats the largest multiple of 256 below, as in timm's RepeatAugSampler
// with one process. Fewer than 256 are not rounded, where timm would take none.
func (o LoaderOptions) Samples(n int) int {
	if o.Repeats > 1 && n > repeatRound {
		return n / repeatRound * repeatRound
	}
	return n
}

// sampler says which samples an epoch takes, and in what order.
type sampler struct {
	options LoaderOptions
	n       int
	// totals are the running sums of the samples' weights; nil where every sample
	// is taken once.
	totals []float64
}

// sequence is what one epoch takes.
type sequence struct {
	indices []int
	// earlier tells how often the epoch has taken the sample before; nil where it
	// takes none twice.
	earlier []uint64
	// distinct is the number of samples that are taken at all.
	distinct int
}

// before is earlier at a place in the sequence.
func (q *sequence) before(at int) uint64 {
	if q.earlier == nil {
		return 0
	}
	return q.earlier[at]
}

func newSampler(ds Dataset, o LoaderOptions) (*sampler, error) {
	power, known := samplers[o.Sampler]
	if !known && o.Sampler != "" {
		return nil, fmt.Errorf("sampler %q is unknown; known are shuffle, balanced and sqrt", o.Sampler)
	}
	if o.Repeats < 0 {
		return nil, fmt.Errorf("%d repeats of each sample; there must be at least 1", o.Repeats)
	}
	if o.Spread < 0 {
		return nil, fmt.Errorf("versions of a sample spread over %d batches; there must be at least 1", o.Spread)
	}
	s := &sampler{options: o, n: ds.Len()}
	if power == 0 {
		return s, nil
	}
	if !o.Shuffle {
		return nil, fmt.Errorf("the sampler %s draws at random, and the samples' order is to be kept; shuffle, or use no sampler", o.Sampler)
	}
	weights, err := classWeights(ds, power)
	if err != nil {
		return nil, fmt.Errorf("the sampler %s: %w", o.Sampler, err)
	}
	sum := 0.0
	for i, w := range weights {
		sum += w
		weights[i] = sum
	}
	s.totals = weights
	return s, nil
}

// classWeights gives each sample 1/count^power, count being the size of its class.
// A sample with several labels counts as one of its rarest, and those without any
// are a class of their own.
func classWeights(ds Dataset, power float64) ([]float64, error) {
	weights := make([]float64, ds.Len())
	weight := func(count int) float64 { return math.Pow(float64(count), -power) }
	t, targeted := ds.(Targeted)
	switch {
	case !targeted:
		counts := make([]int, len(ds.Classes()))
		for i := range weights {
			counts[ds.Label(i)]++
		}
		for i := range weights {
			weights[i] = weight(counts[ds.Label(i)])
		}
	case t.Task() == MultiLabel:
		target := make([]float32, len(ds.Classes()))
		counts := make([]int, len(target)+1) // the last for samples without any
		for i := range weights {
			t.Target(i, target)
			any := false
			for c, v := range target {
				if v > 0 {
					counts[c]++
					any = true
				}
			}
			if !any {
				counts[len(target)]++
			}
		}
		for i := range weights {
			t.Target(i, target)
			rarest := 0
			for c, v := range target {
				if v > 0 && (rarest == 0 || counts[c] < rarest) {
					rarest = counts[c]
				}
			}
			weights[i] = weight(cmp.Or(rarest, counts[len(target)]))
		}
	default:
		return nil, fmt.Errorf("the data has values (%s) and no classes to balance; use shuffle", strings.Join(ds.Classes(), ", "))
	}
	return weights, nil
}

// epoch is the sequence of an epoch, a function of the seed and its number alone.
func (s *sampler) epoch(number uint64) sequence {
	q := sequence{indices: s.base(number), distinct: s.n}
	repeats := max(s.options.Repeats, 1)
	if repeats > 1 {
		repeated := make([]int, s.options.Samples(s.n))
		for i := range repeated {
			repeated[i] = q.indices[i/repeats]
		}
		q.indices = s.options.spread(repeated)
	}
	if repeats == 1 && s.totals == nil {
		return q
	}
	q.earlier = make([]uint64, len(q.indices))
	taken := make([]uint64, s.n)
	q.distinct = 0
	for i, index := range q.indices {
		if q.earlier[i] = taken[index]; taken[index] == 0 {
			q.distinct++
		}
		taken[index]++
	}
	return q
}

// spread deals the indices out to the batches of each group of Spread, one at a time to each.
// Batches at the end that make no whole group share among themselves.
func (o LoaderOptions) spread(indices []int) []int {
	if o.Spread < 2 {
		return indices
	}
	dealt := make([]int, 0, len(indices))
	for group := range slices.Chunk(indices, o.Spread*o.BatchSize) {
		hands := len(group) / o.BatchSize
		whole := hands * o.BatchSize
		for hand := range hands {
			for i := hand; i < whole; i += hands {
				dealt = append(dealt, group[i])
			}
		}
		dealt = append(dealt, group[whole:]...)
	}
	return dealt
}

// base is the sequence before repetition, of as many as the data set has.
func (s *sampler) base(epoch uint64) []int {
	o := s.options
	if o.Shuffle && s.totals == nil {
		return rng.New(o.Seed, "shuffle", epoch).Perm(s.n)
	}
	order := make([]int, s.n)
	if s.totals == nil {
		for i := range order {
			order[i] = i
		}
		return order
	}
	draws := rng.New(o.Seed, "sample", epoch)
	all := s.totals[s.n-1]
	for i := range order {
		x := draws.Float64() * all
		// The product may be rounded up to all.
		order[i] = min(sort.Search(s.n, func(k int) bool { return s.totals[k] > x }), s.n-1)
	}
	return order
}
