package configs

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ClassWeights weigh the classes of a data set: all alike (the zero value), balanced
// by how often each is there, or by a list. In files it is the word balanced or a
// list, which is empty for all alike.
type ClassWeights struct {
	Balanced bool
	List     []float64
}

const balanced = "balanced"

// MarshalJSON writes "balanced" or the list.
func (w ClassWeights) MarshalJSON() ([]byte, error) {
	switch {
	case w.Balanced:
		return json.Marshal(balanced)
	case w.List == nil:
		return []byte("[]"), nil
	}
	return json.Marshal(w.List)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *ClassWeights) UnmarshalJSON(text []byte) error {
	*w = ClassWeights{}
	var word string
	if json.Unmarshal(text, &word) == nil {
		if w.Balanced = word == balanced; !w.Balanced {
			return fmt.Errorf("found %q, which should be %s or a list of numbers", word, balanced)
		}
		return nil
	}
	var list []float64
	if err := json.Unmarshal(text, &list); err != nil {
		return errors.New("should be balanced or a list of numbers")
	}
	if len(list) > 0 {
		w.List = list
	}
	return nil
}

// String is the value as it stands in a YAML file.
func (w ClassWeights) String() string {
	if w.Balanced {
		return balanced
	}
	return flow(w.List, number)
}
