package train

import (
	"encoding/json"

	"github.com/seed52467199/trainer/checkpoint"
)

// Description is what another program has to know of a network, as the metadata of a
// safetensors or ONNX file: its model with the options that differ from its own,
// the task, classes and preprocessing.
func (l *Loaded) Description() (map[string]string, error) {
	meta := map[string]string{"model": l.Model.Name, "task": l.Task.String()}
	for key, value := range map[string]any{"model_args": modelArguments(l.Model.Options), "class_names": l.Classes, "preprocessing": l.Preprocessing} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		meta[key] = string(text)
	}
	return meta, nil
}

// openWeights opens weights, averaged ones where there are any. A file whose metadata
// is a Description gets a Meta of it.
func openWeights(path string) (*checkpoint.File, error) {
	f, err := checkpoint.Open(path, checkpoint.Options{EMA: true})
	if err == nil && f.Meta == nil {
		f.Meta = described(f.Metadata)
	}
	return f, err
}

// described reads a Description; nil where it is none.
func described(metadata map[string]string) *checkpoint.Meta {
	m := &checkpoint.Meta{Model: checkpoint.ModelMeta{Name: metadata["model"]}, Task: metadata["task"]}
	for key, part := range map[string]any{"model_args": &m.Model.Args, "class_names": &m.ClassNames, "preprocessing": &m.Preprocessing} {
		if json.Unmarshal([]byte(metadata[key]), part) != nil {
			return nil
		}
	}
	if m.Preprocessing.Size[0] < 1 {
		return nil
	}
	return m
}
