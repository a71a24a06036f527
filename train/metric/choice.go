package metric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/data"
)

// Names of figures that others ask for.
const (
	Loss = "loss"
	Top1 = "top1"
	AUC  = "auc"
	Auto = "auto"
)

// Choice is the figure by which the best checkpoint is chosen.
type Choice struct {
	Name string
	// Lower says that less is better.
	Lower bool
}

// Better tells whether a value beats another.
func (c Choice) Better(value, than float64) bool {
	if c.Lower {
		return value < than
	}
	return value > than
}

// chosen are the figures that choose, by task, the task's own first.
var chosen = map[data.Task][]Choice{
	data.Classify: {{Name: Top1}, {Name: "top5"}, {Loss, true}, {Name: "f1"}, {Name: "balanced_accuracy"}, {Name: AUC},
		{"ece", true}, {"brier", true}},
	data.MultiLabel: {{Name: "map"}, {Loss, true}, {Name: "f1"}, {Name: "f1_micro"}, {Name: "exact_match"}},
	data.Regress:    {{Name: "r2"}, {Loss, true}, {"mae", true}, {"rmse", true}},
}

// Choose is the figure of this name for a task; Auto is the task's own: top1, map or
// r2.
func Choose(task data.Task, name string) (Choice, error) {
	known := chosen[task]
	if name == Auto || name == "" {
		return known[0], nil
	}
	names := make([]string, len(known))
	for i, c := range known {
		if names[i] = c.Name; c.Name == name {
			return c, nil
		}
	}
	return Choice{}, fmt.Errorf("%s is no figure of the task %s; those are %s, or auto for %s", name, task, strings.Join(names, ", "), names[0])
}

// Percent tells whether a figure is a rate in percent. The loss, the Brier score, R2 and
// errors of numbers are not.
func Percent(name string) bool {
	return !slices.Contains([]string{Loss, "brier", "r2", "mae", "rmse"}, name)
}

// Title is a figure's name for people: top-1, f1 micro.
func Title(name string) string {
	if name == Top1 || name == "top5" {
		return "top-" + name[3:]
	}
	return strings.ReplaceAll(name, "_", " ")
}

// told are the figures that are told of every epoch, by task.
var told = map[data.Task][]string{
	data.Classify:   {Top1, "top5", "f1", "ece"},
	data.MultiLabel: {"map", "f1", "f1_micro", "exact_match"},
	data.Regress:    {"r2", "mae", "rmse"},
}

// Told names the figures that are told of every epoch, the one that chooses first.
// The loss, which is told anyway, is not among them.
func Told(task data.Task, by Choice) []string {
	names := slices.DeleteFunc(slices.Clone(told[task]), func(name string) bool { return name == by.Name })
	if by.Name == Loss {
		return names
	}
	return append([]string{by.Name}, names...)
}
