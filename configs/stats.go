package configs

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Stats is a number for every channel, or for all channels at once. nil is
// auto: to be found out from the pretrained weights or the data. In files it
// is written as the word auto or as a list.
type Stats []float64

const auto = "auto"

// Auto reports whether the numbers are still to be found out.
func (s Stats) Auto() bool { return s == nil }

// MarshalJSON writes "auto" or the list.
func (s Stats) MarshalJSON() ([]byte, error) {
	if s.Auto() {
		return json.Marshal(auto)
	}
	return json.Marshal([]float64(s))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Stats) UnmarshalJSON(text []byte) error {
	var word string
	if json.Unmarshal(text, &word) == nil {
		if word != auto {
			return fmt.Errorf("found %q, which should be auto or a list of numbers", word)
		}
		*s = nil
		return nil
	}
	var list []float64
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("should be auto or a list of numbers: %w", err)
	}
	if len(list) == 0 {
		return errors.New("found an empty list, which should be auto or a list of numbers")
	}
	*s = list
	return nil
}
