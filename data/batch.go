package data

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed52467199/trainer/data/mix"
)

// Batch is a number of samples, ready for the network.
type Batch struct {
	// Epoch is the number of the epoch, from 0.
	Epoch uint64
	// Number counts the batches of the epoch, from 0.
	Number int
	// N is the number of pictures: of samples, times Splits.
	N int
	// Splits is how many versions there are of each sample, 1 for the usual. They lie
	// one after the other: first all clean ones, then all of the second, and so on,
	// each with the label again.
	Splits int
	// Height, Width and Channels are the size of one.
	Height, Width, Channels int
	// Images has the shape (N, Height, Width, Channels).
	Images []float32
	// Labels has the class of each sample.
	Labels []int32
	// Targets has the shape (N, len(Classes)) for tasks other than Classify, see
	// Targeted, and where samples are mixed: then Classify's are the shares of the
	// classes. Otherwise it is empty.
	Targets []float32
	// Indices has each sample's number in the data set.
	Indices []int

	outputs int           // numbers in Targets for a sample
	shares  []mix.Share   // how samples are mixed; empty where none are
	lent    bool          // handed out and not released
	pending atomic.Int32  // jobs that are not done
	ready   chan struct{} // takes one value when none is left

	mu     sync.Mutex
	faults []fault
}

// fault is a sample that could not be read.
type fault struct {
	slot, index int
	err         error
}

// resize sets the number of samples, within what the buffers were made for.
func (b *Batch) resize(n int) {
	n *= b.Splits
	b.N = n
	b.Images = b.Images[:n*b.Height*b.Width*b.Channels]
	b.Labels = b.Labels[:n]
	b.Targets = b.Targets[:n*b.outputs]
	b.Indices = b.Indices[:n]
	b.shares = b.shares[:min(n, cap(b.shares))]
}

// mix mixes the samples, all of which are there.
func (b *Batch) mix(m *mix.Mixer, epoch uint64) {
	m.Draw(b.shares, epoch, uint64(b.Number), b.Height, b.Width)
	mix.Images(b.Images, b.shares, b.Height, b.Width, b.Channels)
	mix.Targets(b.Targets, b.shares, b.outputs)
}

// samples is their number.
func (b *Batch) samples() int { return b.N / b.Splits }

// image is the part of Images of one picture.
func (b *Batch) image(slot int) []float32 {
	n := b.Height * b.Width * b.Channels
	return b.Images[slot*n : (slot+1)*n : (slot+1)*n]
}

// target is the part of Targets of one picture.
func (b *Batch) target(slot int) []float32 {
	return b.Targets[slot*b.outputs : (slot+1)*b.outputs : (slot+1)*b.outputs]
}

// report keeps a fault. Workers report in any order, but for one slot in turn.
func (b *Batch) report(f fault) {
	b.mu.Lock()
	b.faults = append(b.faults, f)
	b.mu.Unlock()
}

// sortFaults brings the faults into the order of the samples.
func (b *Batch) sortFaults() {
	slices.SortStableFunc(b.faults, func(x, y fault) int { return x.slot - y.slot })
}

// dropFaults closes the gaps that the faults left.
func (b *Batch) dropFaults() {
	to := 0
	for slot := range b.N {
		if slices.ContainsFunc(b.faults, func(f fault) bool { return f.slot == slot }) {
			continue
		}
		if to != slot {
			copy(b.image(to), b.image(slot))
			copy(b.target(to), b.target(slot))
			b.Labels[to], b.Indices[to] = b.Labels[slot], b.Indices[slot]
		}
		to++
	}
	b.resize(to)
}
