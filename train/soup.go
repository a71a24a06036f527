package train

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/graph"
)

// Soup is the mean of the weights of several trainings of one model, in float64
// (Wortsman et al. 2022, arXiv 2203.05482): it is often better than each of them, for
// the cost of one. Running statistics of batch norms are averaged as the weights are,
// as timm does; the counts of their batches are the first's.
type Soup struct {
	first *Loaded
	sums  [][]float64 // by parameter
	count int
}

// Count is how many sets of weights are in it.
func (s *Soup) Count() int { return s.count }

// sameModel refuses weights that cannot be averaged with others.
func sameModel(a, b *Loaded) error {
	differ := func(what, of, is string) error {
		return fmt.Errorf("%s cannot be averaged with %s: %s is %s there and %s here; averages are of trainings of one model on the same classes", b.Source, a.Source, what, of, is)
	}
	if a.Model.Name != b.Model.Name {
		return differ("the model", a.Model.Name, b.Model.Name)
	}
	ours, theirs := modelArguments(a.Model.Options), modelArguments(b.Model.Options)
	for _, key := range slices.Sorted(maps.Keys(ours)) {
		if ours[key] != theirs[key] {
			return differ("model."+key, fmt.Sprint(ours[key]), fmt.Sprint(theirs[key]))
		}
	}
	if len(ours) != len(theirs) {
		return differ("the choice of layers", fmt.Sprint(ours), fmt.Sprint(theirs))
	}
	if a.Classes != nil && b.Classes != nil && !slices.Equal(a.Classes, b.Classes) {
		return differ("the list of classes", strings.Join(a.Classes, ", "), strings.Join(b.Classes, ", "))
	}
	all := b.Network.Params.All()
	for i, p := range a.Network.Params.All() {
		if q := all[i]; p.Name != q.Name || !p.FileShape().Eq(q.FileShape()) {
			return differ("parameter "+p.Name, fmt.Sprint(p.FileShape()), fmt.Sprintf("%s %v", q.Name, q.FileShape()))
		}
	}
	return nil
}

// Add puts weights in, of which it keeps sums alone.
func (s *Soup) Add(l *Loaded) error {
	if s.first == nil {
		s.first = l
		s.sums = make([][]float64, len(l.Network.Params.All()))
	}
	if err := sameModel(s.first, l); err != nil {
		return err
	}
	for i, p := range l.Network.Params.All() {
		vals, err := p.Read()
		if err != nil {
			return err
		}
		if s.sums[i] == nil {
			s.sums[i] = make([]float64, len(vals))
		}
		if p.Role == graph.Counter && s.count > 0 {
			continue
		}
		for k, v := range vals {
			s.sums[i][k] += float64(v)
		}
	}
	s.count++
	return nil
}

// Pour sets the weights of a network of the model to the mean of what is in, and of
// what with holds where it is not nil.
func (s *Soup) Pour(into, with *Loaded) error {
	if err := sameModel(s.first, into); err != nil {
		return err
	}
	count := float64(s.count)
	if with != nil {
		if err := sameModel(s.first, with); err != nil {
			return err
		}
		count++
	}
	for i, p := range into.Network.Params.All() {
		mean := make([]float32, p.Len())
		var more []float32
		if with != nil && p.Role != graph.Counter {
			var err error
			if more, err = with.Network.Params.All()[i].Read(); err != nil {
				return err
			}
		}
		divisor := count
		if p.Role == graph.Counter {
			divisor = 1
		}
		for k, sum := range s.sums[i] {
			if more != nil {
				sum += float64(more[k])
			}
			mean[k] = float32(sum / divisor)
		}
		if err := p.Write(mean); err != nil {
			return err
		}
	}
	return nil
}

// State is a checkpoint of weights that were made of others: it can be measured and
// trained from, but there is nothing to go on with. metrics are its figures, if any
// were measured.
func (l *Loaded) State(metrics map[string]float64) (checkpoint.State, error) {
	s := checkpoint.State{Meta: checkpoint.Meta{Model: checkpoint.ModelMeta{Name: l.Model.Name, Args: modelArguments(l.Model.Options)},
		Task: l.Task.String(), ClassNames: l.Classes, Preprocessing: l.Preprocessing, Metrics: metrics}}
	if l.Meta != nil {
		s.Meta.Config = l.Meta.Config
	}
	var err error
	s.Weights, err = Weights(l.Network.Params)
	return s, err
}
