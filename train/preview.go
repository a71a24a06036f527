package train

import (
	"fmt"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/models"
)

// OpenPreview is OpenJob without a network, for looking at what its data becomes:
// the job has data and loaders alone. A configuration that names no model is given
// the size of the first image.
func OpenPreview(c configs.Config) (*Job, error) {
	j := &Job{Config: &c}
	weights, err := j.startingWeights() // for the preprocessing that they expect
	if err != nil {
		return nil, err
	}
	if err := j.openData(false); err != nil {
		return nil, err
	}
	var info models.Config
	if c.Model.Name != "" {
		if info, err = models.Info(c.Model.Name); err != nil {
			return nil, err
		}
	} else if d := data.Describe(j.TrainData, 1); d.Bad > 0 {
		return nil, fmt.Errorf("finding out data.size: %w", d.FirstBad)
	} else {
		info.InputSize = min(d.Width.Min, d.Height.Min)
	}
	return j, j.settle(info, weights)
}
