package data

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
