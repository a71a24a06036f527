package data

import (
	"errors"
	"fmt"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

// Standardize is the Transform of a table's rows: from each feature its mean is
// subtracted, and the rest divided by its standard deviation. Its output has one
// pixel, whose channels are the features.
type Standardize struct{ mean, scale []float32 }

// NewStandardize makes a Standardize of as many features as there are means. A
// deviation that is not above 0 is an error.
func NewStandardize(mean, std []float64) (*Standardize, error) {
	if len(mean) != len(std) || len(mean) == 0 {
		return nil, fmt.Errorf("%d means and %d standard deviations; there must be one of each for every feature", len(mean), len(std))
	}
	s := &Standardize{}
	for i, m := range mean {
		if !(std[i] > 0) {
			return nil, fmt.Errorf("feature %d has a standard deviation of %v; it must be above 0", i, std[i])
		}
		s.mean, s.scale = append(s.mean, float32(m)), append(s.scale, float32(1/std[i]))
	}
	return s, nil
}

// Shape is one pixel of all features.
func (s *Standardize) Shape() (height, width, channels int) { return 1, 1, len(s.mean) }

// Apply refuses pictures.
func (s *Standardize) Apply([]float32, *imaging.Image, *transform.Workspace, *rng.Stream) error {
	return errors.New("a picture, where rows of numbers are wanted")
}

// row standardises a row.
func (s *Standardize) row(dst, values []float32) {
	for i, v := range values {
		dst[i] = (v - s.mean[i]) * s.scale[i]
	}
}
