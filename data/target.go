package data

import "fmt"

// Task is what is asked about a picture.
type Task int

const (
	// Classify asks which one of the classes it shows.
	Classify Task = iota
	// MultiLabel asks of each class whether it is there.
	MultiLabel
	// Regress asks for numbers; Classes then names them.
	Regress
)

// String is the task's name in a configuration.
func (t Task) String() string {
	switch t {
	case MultiLabel:
		return "multi_label"
	case Regress:
		return "regress"
	}
	return "classify"
}

// autoTask leaves the task to the data.
const autoTask = "auto"

// ParseTask is the task of a name; auto and nothing are Classify.
func ParseTask(name string) (Task, error) {
	for _, t := range []Task{Classify, MultiLabel, Regress} {
		if name == t.String() {
			return t, nil
		}
	}
	if name == "" || name == autoTask {
		return Classify, nil
	}
	return 0, fmt.Errorf("the task %q is unknown; known are auto, classify, multi_label and regress", name)
}

// Targeted is a Dataset of another task than Classify. Its Label is 0 for every
// sample.
type Targeted interface {
	Dataset
	// Task is MultiLabel or Regress.
	Task() Task
	// Target writes what is right for sample i to dst, of len(Classes()) numbers: 1
	// for each class that is there and 0 for the others, or the values.
	Target(i int, dst []float32)
}

// TaskOf is what ds asks about its pictures.
func TaskOf(ds Dataset) Task {
	if t, ok := ds.(Targeted); ok {
		return t.Task()
	}
	return Classify
}

// marked is a Dataset with targets of another task.
type marked struct {
	Dataset
	task    Task
	targets []float32 // (Len, outputs)
	outputs int
}

func (m *marked) Task() Task { return m.task }

func (m *marked) Target(i int, dst []float32) { copy(dst, m.targets[i*m.outputs:(i+1)*m.outputs]) }
