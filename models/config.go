package models

import "slices"

// Config is what is known about a model beside its code.
type Config struct {
	// InputSize is the height and width in pixels that the model is made for.
	InputSize int `json:"input_size"`
	// InChans is the number of channels of that input.
	InChans int `json:"in_chans"`
	// NumClasses is the number of classes of the published weights.
	NumClasses int `json:"num_classes"`
	// Mean and Std are those of each channel in [0, 1], by which the published
	// weights expect their input normalised.
	Mean []float64 `json:"mean"`
	Std  []float64 `json:"std"`
	// CropPct is the part of the resized image that evaluation looks at.
	CropPct float64 `json:"crop_pct"`
	// Interpolation is how evaluation resizes: bilinear or bicubic.
	Interpolation string `json:"interpolation"`
	// FirstConv names the layers that meet the image: what changes with the number
	// of channels. Parameters are these names with ".weight" and ".bias".
	FirstConv []string `json:"first_conv,omitempty"`
	// FirstNorm names, for each of FirstConv, the batch norm right behind a
	// convolution without a bias, "" where there is none.
	FirstNorm []string `json:"first_norm,omitempty"`
	// Whiten names a first convolution that is not trained: a training from scratch
	// makes its filters of its images, so that what it gives is uncorrelated; "" for
	// none. It has two filters, of opposite sign, for each direction of a patch, of those
	// of greatest variance where it has not enough; what is left stays as it was drawn.
	Whiten string `json:"whiten,omitempty"`
	// Positions names the parameters that hold something for each place of the image,
	// whose extent changes with its size, by the last parts of their names: position
	// embeddings (1, L, C) and tables of relative positions (R, heads).
	Positions []string `json:"positions,omitempty"`
	// Classifier names the layers that give the classes.
	Classifier []string `json:"classifier"`
	// Paper is where the network is described.
	Paper string `json:"paper"`
	// Weights is where published weights that fit are found, "" where none are known.
	Weights string `json:"weights,omitempty"`
}

// clone is a copy that shares nothing.
func (c Config) clone() Config {
	for _, list := range []*[]float64{&c.Mean, &c.Std} {
		*list = slices.Clone(*list)
	}
	for _, list := range []*[]string{&c.FirstConv, &c.FirstNorm, &c.Positions, &c.Classifier} {
		*list = slices.Clone(*list)
	}
	return c
}

// imageNet is the configuration of a network for ImageNet in 224x224 pixels, whose
// published weights look at this part of an image.
func imageNet(paper string, cropPct float64, weights string) Config {
	return Config{
		InputSize: 224, InChans: 3, NumClasses: 1000,
		Mean: imageNetMean, Std: imageNetStd, CropPct: cropPct, Interpolation: "bicubic",
		Paper: paper, Weights: weights,
	}
}

// at is the configuration for images of another size.
func (c Config) at(size int) Config {
	c.InputSize = size
	return c
}

// resized is the configuration with another interpolation.
func (c Config) resized(interpolation string) Config {
	c.Interpolation = interpolation
	return c
}

// halved is the configuration for images normalised to [-1, 1].
func (c Config) halved() Config {
	c.Mean, c.Std = halves, halves
	return c
}

// The usual statistics of data sets, by channel.
var (
	imageNetMean = []float64{0.485, 0.456, 0.406}
	imageNetStd  = []float64{0.229, 0.224, 0.225}
	cifarMean    = []float64{0.4914, 0.4822, 0.4465}
	cifarStd     = []float64{0.2470, 0.2435, 0.2616}
	mnistMean    = []float64{0.1307}
	mnistStd     = []float64{0.3081}
	halves       = []float64{0.5, 0.5, 0.5}
)
