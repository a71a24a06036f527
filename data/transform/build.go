package transform

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed52467199/trainer/data/imaging"
)

// Output says what a network takes.
type Output struct {
	// Size is the side of the square input in pixels.
	Size int
	// Channels is 1 for gray or 3 for RGB.
	Channels int
	// Mean and Std normalise each channel of values scaled to 0..1:
	// (v/255 - mean)/std. One number stands for every channel.
	Mean, Std []float64
}

// Train describes the augmenting pipeline of a recipe.
type Train struct {
	Output
	// Crop is "rrc" (RandomResizedCrop), "padN" or "padN_reflect" (PadCrop
	// with N pixels after fitting the picture to Size), or "none" (the central
	// square). Empty is "none".
	Crop string
	// Scale and Ratio are those of RandomResizedCrop; zero values are .08..1
	// and 3/4..4/3.
	Scale, Ratio [2]float64
	// Interpolation is a filter's name, or "random" for bilinear or bicubic by
	// chance. Empty is "random" for Crop "rrc", and "bilinear" otherwise.
	Interpolation string
	// HFlip and VFlip are the probabilities of a left-right and an upside-down flip.
	HFlip, VFlip float64
	// Ops run after the crop. They see the picture before any flip: flips are
	// part of the final pass. (In timm they come before; for augmentations that
	// treat both directions alike the distribution is the same.)
	Ops []Op
}

// NewTrain builds the pipeline that t describes.
func NewTrain(t Train) (*Pipeline, error) {
	p, err := newPipeline(t.Output)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		p    float64
	}{{"horizontal", t.HFlip}, {"vertical", t.VFlip}} {
		if !(f.p >= 0 && f.p <= 1) {
			return nil, fmt.Errorf("probability %v of a %s flip; it must be from 0 to 1", f.p, f.name)
		}
	}
	p.hflip, p.vflip = t.HFlip, t.VFlip

	if t.Crop == "rrc" {
		op, err := randomCrop(t)
		if err != nil {
			return nil, err
		}
		p.ops = append(p.ops, op)
	} else {
		fit, err := centerCrop(t.Size, 1, t.Interpolation)
		if err != nil {
			return nil, err
		}
		p.ops = append(p.ops, fit)
		if t.Crop != "" && t.Crop != "none" {
			pad, err := padCrop(t.Crop)
			if err != nil {
				return nil, err
			}
			p.ops = append(p.ops, pad)
		}
	}
	for _, op := range t.Ops {
		p.ops = append(p.ops, varying{op})
	}
	return p, nil
}

// Eval describes the deterministic pipeline of evaluation.
type Eval struct {
	Output
	// CropPct is CenterCrop's Pct; 0 is 1.
	CropPct float64
	// Interpolation is a filter's name; empty is "bilinear".
	Interpolation string
	// Place is where the crop lies.
	Place Place
}

// NewEval builds the pipeline that e describes.
func NewEval(e Eval) (*Pipeline, error) {
	p, err := newPipeline(e.Output)
	if err != nil {
		return nil, err
	}
	if e.CropPct == 0 {
		e.CropPct = 1
	}
	op, err := centerCrop(e.Size, e.CropPct, e.Interpolation)
	if err != nil {
		return nil, err
	}
	op.Place = e.Place
	p.ops = []Op{op}
	return p, nil
}

func newPipeline(o Output) (*Pipeline, error) {
	if o.Size < 1 {
		return nil, fmt.Errorf("image size %d; it must be at least 1 pixel", o.Size)
	}
	if o.Channels != 1 && o.Channels != 3 {
		return nil, fmt.Errorf("%d image channels; there can be 1 (gray) or 3 (RGB)", o.Channels)
	}
	p := &Pipeline{size: o.Size, channels: o.Channels}
	var means, stds [3]float32
	for c := range 3 {
		mean, err := perChannel("mean", o.Mean, min(c, o.Channels-1), o.Channels)
		if err != nil {
			return nil, err
		}
		std, err := perChannel("std", o.Std, min(c, o.Channels-1), o.Channels)
		if err != nil {
			return nil, err
		}
		if !(std > 0) || math.IsInf(std, 0) || math.IsInf(mean, 0) || math.IsNaN(mean) {
			return nil, fmt.Errorf("mean %v and std %v of channel %d; they must be finite and std above 0", mean, std, c)
		}
		means[c], stds[c] = float32(mean), float32(std)
	}
	p.norm.Set(means, stds)
	return p, nil
}

func perChannel(name string, values []float64, c, channels int) (float64, error) {
	switch len(values) {
	case 1:
		return values[0], nil
	case channels:
		return values[c], nil
	}
	return 0, fmt.Errorf("%d values of %s for %d channels; give 1 or %d", len(values), name, channels, channels)
}

func randomCrop(t Train) (Op, error) {
	op := RandomResizedCrop{Size: t.Size, Scale: t.Scale, Ratio: t.Ratio}
	if op.Scale == [2]float64{} {
		op.Scale = [2]float64{0.08, 1}
	}
	if op.Ratio == [2]float64{} {
		op.Ratio = [2]float64{3. / 4, 4. / 3}
	}
	if !(op.Scale[0] > 0 && op.Scale[0] <= op.Scale[1] && op.Scale[1] <= 1) {
		return nil, fmt.Errorf("crop scale %v; it must be two rising numbers above 0 and up to 1", op.Scale)
	}
	if !(op.Ratio[0] > 0 && op.Ratio[0] <= op.Ratio[1] && !math.IsInf(op.Ratio[1], 0)) {
		return nil, fmt.Errorf("crop ratio %v; it must be two rising numbers above 0", op.Ratio)
	}
	if t.Interpolation == "" || t.Interpolation == "random" {
		op.Filters = []imaging.Filter{imaging.Bilinear, imaging.Bicubic}
		return op, nil
	}
	filter, err := imaging.ParseFilter(t.Interpolation)
	if err != nil {
		return nil, err
	}
	op.Filters = []imaging.Filter{filter}
	return op, nil
}

// padCrop reads "padN" or "padN_reflect".
func padCrop(name string) (Op, error) {
	digits, reflect := strings.CutSuffix(name, "_reflect")
	digits, ok := strings.CutPrefix(digits, "pad")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return nil, fmt.Errorf("crop %q is unknown; known are none, rrc, padN and padN_reflect with a number N of pixels, such as pad4", name)
	}
	return PadCrop{Padding: n, Reflect: reflect}, nil
}

func centerCrop(size int, pct float64, interpolation string) (CenterCrop, error) {
	if !(pct > 0 && pct <= 1) {
		return CenterCrop{}, fmt.Errorf("crop_pct %v; it must be above 0 and up to 1", pct)
	}
	if interpolation == "" || interpolation == "random" { // random is for the augmenting crop alone
		interpolation = imaging.Bilinear.String()
	}
	filter, err := imaging.ParseFilter(interpolation)
	if err != nil {
		return CenterCrop{}, err
	}
	return CenterCrop{Size: size, Pct: pct, Filter: filter}, nil
}
