package train

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/seed52467199/trainer/checkpoint"
)

// classNames are the names of the classes, by label, that weights carry: those of a
// checkpoint's run, or what the export command puts into a file's metadata. nil
// where they tell none.
func classNames(f *checkpoint.File) []string {
	if f.Meta != nil {
		return f.Meta.ClassNames
	}
	var names []string
	if json.Unmarshal([]byte(f.Metadata["class_names"]), &names) != nil {
		return nil
	}
	return names
}

// sliceClassifier gives the tensors with the classifier's rows chosen by the names
// of their classes: row i becomes the one whose class is called to[i]. It answers
// false, and the tensors as they are, where some class of to is unknown to from,
// where names are mere numbers of labels, which mean nothing to another data set,
// and where there is nothing to change.
func sliceClassifier(ts *checkpoint.Tensors, head func(name string) bool, from, to []string) (*checkpoint.Tensors, bool, error) {
	rows, ok := rowsByName(from, to)
	if !ok || slices.Equal(from, to) {
		return ts, false, nil
	}
	list, sliced := make([]checkpoint.Tensor, 0, ts.Len()), false
	for t := range ts.All() {
		if head(t.Name) {
			if len(t.Shape) == 0 || t.Shape[0] != len(from) {
				return ts, false, nil
			}
			shape := slices.Clone(t.Shape)
			shape[0] = len(rows)
			values, width := t.Float32s(), t.Len()/len(from)
			chosen := make([]float32, 0, len(rows)*width)
			for _, r := range rows {
				chosen = append(chosen, values[r*width:][:width]...)
			}
			var err error
			if t, err = checkpoint.FromFloat32s(t.Name, shape, chosen); err != nil {
				return nil, false, err
			}
			sliced = true
		}
		list = append(list, t)
	}
	if !sliced {
		return ts, false, nil
	}
	out, err := checkpoint.NewTensors(list...)
	return out, err == nil, err
}

// rowsByName finds each of the names to among from.
func rowsByName(from, to []string) ([]int, bool) {
	row, named := make(map[string]int, len(from)), false
	for i, name := range from {
		if _, twice := row[name]; twice {
			return nil, false
		}
		row[name] = i
		named = named || name != strconv.Itoa(i)
	}
	rows := make([]int, len(to))
	for i, name := range to {
		r, known := row[name]
		if !known {
			return nil, false
		}
		rows[i] = r
	}
	return rows, named && len(to) > 0
}
