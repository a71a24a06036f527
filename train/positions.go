package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/adapt"
)

// resizePositions gives a file's tensors with what they hold for each place of the image
// fitted to the model's image size, and the names of those that were.
func resizePositions(ps *graph.Params, c models.Config, have *checkpoint.Tensors) (*checkpoint.Tensors, []string, error) {
	replaced := map[string]checkpoint.Tensor{}
	var names []string
	for _, p := range ps.All() {
		t, ok := have.Get(p.Name)
		want := []int(p.FileShape())
		last := p.Name[strings.LastIndexByte(p.Name, '.')+1:]
		if !ok || !slices.Contains(c.Positions, last) || len(t.Shape) != len(want) || slices.Equal(t.Shape, want) {
			continue
		}
		rows := len(want) - 2
		if rows < 0 || t.Shape[rows+1] != want[rows+1] {
			continue // another network's: matching tells
		}
		resize := adapt.Positions
		if rows == 0 {
			resize = adapt.RelativeBias
		}
		values, err := resize(t.Float32s(), t.Shape[rows], want[rows+1], want[rows])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if replaced[p.Name], err = checkpoint.FromFloat32s(p.Name, want, values); err != nil {
			return nil, nil, err
		}
		names = append(names, p.Name)
	}
	tensors, err := replace(have, replaced)
	return tensors, names, err
}

// replace gives the tensors with some of them replaced by others of their names.
func replace(have *checkpoint.Tensors, by map[string]checkpoint.Tensor) (*checkpoint.Tensors, error) {
	if len(by) == 0 {
		return have, nil
	}
	list := make([]checkpoint.Tensor, 0, have.Len())
	for t := range have.All() {
		if r, ok := by[t.Name]; ok {
			t = r
		}
		list = append(list, t)
	}
	return checkpoint.NewTensors(list...)
}
