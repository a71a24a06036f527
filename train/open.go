package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
)

// OpenData opens a split of the configured data. Given classes, such as those of a
// checkpoint, fix the names and their order.
func OpenData(d configs.Data, split string, classes []string) (data.Dataset, error) {
	root, err := d.Dir()
	if err != nil {
		return nil, err
	}
	classMap := d.ClassMap
	if len(classes) == 0 { // else it need not be there
		if classMap, err = d.ClassMapFile(); err != nil {
			return nil, err
		}
	}
	return data.Open(d.Format, root, split, data.Options{Classes: classes, ClassMap: classMap, ValFraction: d.ValFraction,
		SplitSeed: uint64(d.SplitSeed), Holdout: d.Holdout, TrainSplit: d.TrainSplit,
		Task: d.Task, ImageColumn: d.ImageColumn, FeatureColumns: d.FeatureColumns, TargetColumns: d.TargetColumns})
}

// featuresOf are the features of a table's rows; nil where the samples are something
// else.
func featuresOf(ds data.Dataset) []string {
	t, _ := data.FirstTensor(ds)
	return t.Features
}

// transformFor is the deterministic preprocessing of what ds holds, which must be what
// the network takes.
func transformFor(ds data.Dataset, p checkpoint.Preprocessing) (data.Transform, error) {
	have := featuresOf(ds)
	switch {
	case have == nil:
		return EvalTransform(p)
	case p.Features == nil:
		return nil, fmt.Errorf("the data has rows of numbers (%s), and the network takes images", few(have))
	case !slices.Equal(have, p.Features):
		return nil, fmt.Errorf("the data's features are %s, and the network takes %s: name these in data.feature_columns", few(have), few(p.Features))
	}
	return data.NewStandardize(p.Mean, p.Std)
}

// few lists the first names.
func few(names []string) string {
	if len(names) > 5 {
		names = append(names[:5:5], "...")
	}
	return strings.Join(names, ", ")
}

// settleTensors fills in the size of tensors, and refuses what cannot be done with
// them. It does nothing for pictures.
func (j *Job) settleTensors() error {
	t, ok := data.FirstTensor(j.TrainData)
	if !ok {
		return nil
	}
	c := j.Config
	if t.Height != t.Width {
		return fmt.Errorf("the tensors in %s have %dx%d pixels; networks take squares", c.Data.Root, t.Height, t.Width)
	}
	if c.Data.Size == 0 {
		c.Data.Size = t.Height
	} else if c.Data.Size != t.Height {
		return fmt.Errorf("data.size is %d, and the tensors in %s have %dx%d pixels, which are not resized: leave data.size 0", c.Data.Size, c.Data.Root, t.Height, t.Width)
	}
	if c.Model.InChans != t.Channels {
		return fmt.Errorf("model.in_chans is %d, and the data in %s has %d: leave model.in_chans 0 and finetune.gray false", c.Model.InChans, c.Data.Root, t.Channels)
	}
	if a := c.Augment; t.Features != nil && (a.Crop != "none" || a.HFlip > 0 || a.VFlip > 0) {
		return fmt.Errorf("augment.crop is %s, hflip %v and vflip %v, and the rows of a table can be neither cropped nor flipped: leave them out", a.Crop, a.HFlip, a.VFlip)
	}
	return nil
}

// measure is the mean and the standard deviation by which the training data is
// normalised.
func (j *Job) measure() (mean, std configs.Stats, err error) {
	t, tensors := data.FirstTensor(j.TrainData)
	if tensors && t.Features == nil {
		return configs.Stats{0}, configs.Stats{1}, nil // used as they are
	}
	limit := statsSample
	if tensors {
		limit = 0
	}
	m, s, err := data.MeanStd(j.TrainData, j.Config.Model.InChans, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("measuring data.mean and data.std: %w", err)
	}
	if tensors {
		mean, std = significant(m, s)
		return mean, std, nil
	}
	return rounded(m), rounded(s), nil
}

// significant keeps the digits that matter of statistics of any size: six of a
// deviation, and of a mean those above a 10,000th of its deviation.
func significant(mean, std []float64) (m, s configs.Stats) {
	short := func(v float64, format byte, digits int) float64 {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, format, digits, 64), 64)
		return v
	}
	for i, d := range std {
		if d == 0 { // a constant feature tells nothing
			m, s = append(m, mean[i]), append(s, 1)
			continue
		}
		m = append(m, short(mean[i], 'f', max(0, 4-int(math.Floor(math.Log10(d))))))
		s = append(s, short(d, 'g', 6))
	}
	return m, s
}
