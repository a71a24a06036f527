package metric

import (
	"github.com/seed52467199/trainer/data"
)

// Tally collects outputs batch by batch.
type Tally interface {
	// Add counts a batch: outputs (N, C) are the network's, as they are, of images
	// whose labels (N) or targets (N, C) are right.
	Add(outputs []float32, labels []int32, targets []float32)
	// Images is how many were counted.
	Images() int
	// Result is what they amount to.
	Result() *Result
}

// Options say what is counted.
type Options struct {
	// Task is what the data asks.
	Task data.Task
	// Outputs is the number of classes, or of the numbers that are asked for.
	Outputs int
	// Ranks keeps what the classifier says of every image, which auc needs.
	Ranks bool
}

// New makes an empty Tally.
func New(o Options) Tally {
	switch o.Task {
	case data.MultiLabel:
		return newMultiLabel(o.Outputs)
	case data.Regress:
		return newRegress(o.Outputs)
	}
	return newClassify(o.Outputs, o.Ranks)
}

// Bytes is the memory that a Tally of so many images takes for what it keeps of each.
func (o Options) Bytes(images int) int {
	switch {
	case o.Task == data.MultiLabel:
		return images * o.Outputs * 5
	case o.Task == data.Classify && o.Ranks:
		return images * (o.Outputs + 1) * 4
	}
	return 0
}

// rankBytes is up to where Rankable says yes.
const rankBytes = 256 << 20

// Rankable tells whether what auc needs of so many images fits in 256 MiB.
func Rankable(images, classes int) bool {
	return Options{Outputs: classes, Ranks: true}.Bytes(images) <= rankBytes
}
