package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/models"
)

// statsSample is how many training images the mean and standard deviation of the
// data are measured on.
const statsSample = 10000

// settle fills in what the configuration leaves to the data, the model and the
// weights.
func (j *Job) settle(info models.Config, weights *checkpoint.File) error {
	c := j.Config
	if n := len(j.Classes); c.Model.NumClasses == 0 {
		c.Model.NumClasses = n
	} else if c.Model.NumClasses != n {
		what := "classes"
		if data.TaskOf(j.TrainData) == data.Regress {
			what = "values to be learned"
		}
		return fmt.Errorf("model.num_classes is %d, and the data in %s has %d %s: make them agree, or leave model.num_classes 0", c.Model.NumClasses, c.Data.Root, n, what)
	}
	switch {
	case c.Finetune.Gray && c.Model.InChans > 1:
		return fmt.Errorf("model.in_chans is %d, and finetune.gray asks for 1: leave model.in_chans out", c.Model.InChans)
	case c.Finetune.Gray:
		c.Model.InChans = 1
	case c.Model.InChans == 0:
		c.Model.InChans = j.TrainData.Channels()
	}
	if err := j.settleTensors(); err != nil {
		return err
	}
	if c.Data.Size == 0 {
		c.Data.Size = info.InputSize
	}
	if c.Finetune.Gray { // statistics of a recipe made for colour
		if !c.Data.Mean.Auto() {
			c.Data.Mean = channels(c.Data.Mean, 1)
		}
		if !c.Data.Std.Auto() {
			c.Data.Std = channels(c.Data.Std, 1)
		}
	}
	source := sourcePreprocessing(info, weights)
	if weights != nil {
		if c.Data.Mean.Auto() {
			c.Data.Mean = channels(source.Mean, c.Model.InChans)
		}
		if c.Data.Std.Auto() {
			c.Data.Std = channels(source.Std, c.Model.InChans)
		}
	}
	if c.Data.Mean.Auto() || c.Data.Std.Auto() {
		mean, std, err := j.measure()
		if err != nil {
			return err
		}
		if c.Data.Mean.Auto() {
			c.Data.Mean = mean
		}
		if c.Data.Std.Auto() {
			c.Data.Std = std
		}
	}
	size := cmp.Or(c.Eval.Size, c.Data.Size)
	j.Preprocessing = checkpoint.Preprocessing{Size: [2]int{size, size}, Channels: c.Model.InChans,
		Mean: spread(c.Data.Mean, c.Model.InChans), Std: spread(c.Data.Std, c.Model.InChans), CropPct: c.Eval.CropPct, Interpolation: c.Eval.Interpolation}
	j.Preprocessing.Features = featuresOf(j.TrainData)
	return nil
}

// channels adapts statistics of one number of channels to another: colour becomes
// gray by the mean of its channels, gray becomes colour by repetition.
func channels(stats []float64, n int) []float64 {
	if len(stats) == n {
		return stats
	}
	sum := 0.0
	for _, v := range stats {
		sum += v
	}
	return slices.Repeat([]float64{sum / float64(len(stats))}, n)
}

// spread repeats a single number for n channels.
func spread(stats []float64, n int) []float64 {
	if len(stats) == 1 {
		return slices.Repeat(stats, n)
	}
	return stats
}

// rounded keeps four decimals, so that configurations stay readable.
func rounded(stats []float64) []float64 {
	out := make([]float64, len(stats))
	for i, v := range stats {
		out[i] = max(math.Round(v*1e4)/1e4, 1e-4)
	}
	return out
}
