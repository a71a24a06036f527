package report

import (
	"fmt"
	"time"
)

// Event is something that happened in a run. The kinds are the pointer types
// of this file. A listener must not keep an event after Handle returns: the
// loop may reuse it.
type Event interface{ event() }

// RunStarted opens a run, a resumed one too.
type RunStarted struct {
	RunDir string // the run folder, as the user named it
	Model  string // registry name
	Config string // the whole effective configuration, YAML
	Device string // such as "cpu (avx512)"

	Classes []string // class names by label; may be empty
	Metrics []string // names of the metrics that EpochDone will carry, in order

	Params          int64 // trainable scalars
	ArenaBytes      int64 // activation memory of the training program
	Memory          Memory
	TrainImages     int // images of one epoch
	ValImages       int // images of one evaluation
	Epochs          int // epochs of the whole run
	UpdatesPerEpoch int
	BatchSize       int // images of one update
	Threads         int
	Seed            uint64

	Resumed bool // false for a fresh run
	Epoch   int  // the epoch that comes next, or goes on; 1 in a fresh run
	Update  int  // updates already done; 0 in a fresh run
}

// Memory is what a training takes, in bytes.
type Memory struct {
	Limit      int64   // what it may take; 0 for any
	Parameters int64   // weights, gradients, optimizer, averages
	Input      int64   // images, data and the program, under a limit
	Saved      int64   // activations that are recomputed, not kept
	Repeated   int     // operations that run again for it
	ExtraTime  float64 // what that takes, as a part of the time without
}

// EpochStarted opens an epoch, or the rest of one after resuming in its middle.
type EpochStarted struct {
	Epoch  int
	Epochs int // of the whole run
}

// Step is one finished update of the weights. The loop owns one Step and
// sends it again and again, so that an update allocates nothing.
type Step struct {
	Epoch           int
	Update          int     // since the run began
	Batch, Batches  int     // batches read in this epoch, and its length
	Images          int     // images of this update
	LR              float64 // of the first parameter group, as used in this update
	Loss            float64 // mean over Images
	GradNorm        float64 // L2 norm of the whole gradient before clipping; 0 where not measured
	ImagesPerSecond float64 // recent mean
}

// EvalStep is progress through an evaluation.
type EvalStep struct {
	Batch, Batches  int // batches evaluated, and their number
	Images          int // images evaluated so far
	ImagesPerSecond float64
}

// Metric is a named figure of an evaluation. Rates are in percent.
type Metric struct {
	Name  string
	Value float64
}

// EpochDone closes an epoch; it is one row of summary.csv. A figure that was
// not measured in this epoch is NaN, and an absent metric is left out.
type EpochDone struct {
	Epoch           int
	Update          int // updates since the run began
	TrainLoss       float64
	EvalLoss        float64
	Metrics         []Metric      // in the order in which people want to read them
	LR              float64       // of the last update
	Time            time.Duration // training and evaluation
	ImagesPerSecond float64       // of training
	Best            bool          // the best epoch so far

	Confusion [][]int      // optional: images by [true label][predicted label]
	PerClass  []ClassScore // optional: one entry per class or output
}

// Metric returns the named metric, and whether the epoch has it.
func (e *EpochDone) Metric(name string) (value float64, ok bool) {
	for _, m := range e.Metrics {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

// ClassScore is how well one class, or one of several numbers, is recognised.
type ClassScore struct {
	Name    string
	Images  int      // of this class in the validation set
	Figures []Metric // the same ones for every class; NaN where one is not defined
}

// Checkpointed says that a checkpoint lies on the disk, complete.
type Checkpointed struct {
	Path   string
	Epoch  int // epochs finished
	Update int
	Best   bool // it is the best one so far
}

// Warning is something that the user should know and that stops nothing.
type Warning struct {
	Text  string   // a sentence without a full stop
	Names []string // what it concerns, such as the files that were skipped
}

// Interrupted ends a run that the user stopped after its state was saved.
type Interrupted struct {
	Epoch, Update int
	Checkpoint    string // where the state lies
	ResumeCommand string // what to type to go on
}

// StoppedEarly says that a run ends before its last epoch, because its evaluations get
// no better. RunDone follows.
type StoppedEarly struct {
	Epoch, Epochs int     // epochs finished, and those planned
	Update        int     // updates done
	Metric        string  // which one; may be empty
	Evaluations   int     // in a row without improvement
	MinDelta      float64 // what would have been one, in the metric's unit
}

// Reason is a sentence without its beginning and full stop.
func (e *StoppedEarly) Reason() string {
	metric := e.Metric
	if metric == "" {
		metric = "the evaluation"
	}
	text := metric + " has not improved"
	if e.MinDelta > 0 {
		text += fmt.Sprintf(" by more than %g", e.MinDelta)
	}
	return fmt.Sprintf("%s in %s", text, plural(e.Evaluations, "evaluation"))
}

// RunDone ends a run that reached its last epoch, or was stopped early.
type RunDone struct {
	RunDir          string
	Time            time.Duration // of this process
	ImagesPerSecond float64
	BestBy          string     // the name of the metric that Best is the best by
	Best, Last      *EpochDone // nil where nothing was trained
}

// RunFailed ends a run that could not go on. The error itself is for the
// caller of the loop to print; listeners record it.
type RunFailed struct {
	Epoch, Update int
	Reason        string
}

// LRPoint is one step of an LR range test.
type LRPoint struct {
	Step, Steps int     // steps done, and the planned number of them
	LR          float64 // as used in this step
	Loss        float64 // of this step's batch
	Smoothed    float64 // debiased exponential mean of Loss
}

func (*RunStarted) event()   {}
func (*EpochStarted) event() {}
func (*Step) event()         {}
func (*EvalStep) event()     {}
func (*EpochDone) event()    {}
func (*Checkpointed) event() {}
func (*Warning) event()      {}
func (*Interrupted) event()  {}
func (*StoppedEarly) event() {}
func (*RunDone) event()      {}
func (*RunFailed) event()    {}
func (*LRPoint) event()      {}
