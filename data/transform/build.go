package transform

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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
	// Turns mirrors each picture left to right every other time, as its Workspace
	// says, in place of by chance (Jordan, arXiv 2404.00498, section 3.6).
	Turns bool
	// Auto is an automatic augmentation under timm's name, by the same rules; empty
	// or "none" is none. Parts between dashes may be left out, and come in any order:
	//
	//	rand-m9-n2-p0.5-mstd0.5-mmax10-inc1-tweights  RandAugment: magnitude (10), layers
	//	    (2), probability of each (.5), noise of the magnitude (0; uniform above 100),
	//	    its bound (10), whether effects grow with it (0), and a set of operations:
	//	    weights, 3a or 3aw
	//	original, originalr, v0, v0r, 3a with -mstd   AutoAugment; 3-Augment
	//	augmix-m3-w3-d-1-a1-b0-mstd0                  AugMix: magnitude, width, depth (-1: 1
	//	    to 3), alpha, whether chains are blended one by one, noise (uniform)
	//	trivial or ta_wide                            TrivialAugmentWide as in torchvision
	//
	// Pixels are moved by Interpolation, which is nearest, bilinear, bicubic or random
	// then; what comes in from outside has the colour of Mean, and is black for trivial.
	Auto string
	// ColorJitter is torchvision's: by how much brightness, contrast, saturation and
	// (the fourth, up to .5) hue vary. One number stands for the first three. Empty is
	// none.
	ColorJitter []float64
	// JitterProb is the probability of ColorJitter; 0 is 1.
	JitterProb float64
	// GrayProb and BlurProb are the probabilities of taking the colour away and of
	// torchvision's GaussianBlur (23 x 23, standard deviation .1 to 2).
	GrayProb, BlurProb float64
	// Ops run after all of these. They see the picture before any flip: flips are
	// part of the final pass. (In timm they come before the augmentations. All that
	// are here treat both directions alike, so the distribution is the same.)
	Ops []Op
	// Erase is done to the normalised picture.
	Erase Erase
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
	p.hflip, p.vflip, p.turns = t.HFlip, t.VFlip, t.Turns

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
	augment, err := t.augmentations()
	if err != nil {
		return nil, err
	}
	for _, op := range append(augment, t.Ops...) {
		p.ops = append(p.ops, varying{op})
	}
	p.erase = t.Erase
	return p, p.erase.check()
}

// augmentations are the ops between the crop and the caller's own, in timm's order.
func (t *Train) augmentations() (ops []Op, err error) {
	if t.Auto != "" && t.Auto != "none" {
		auto, err := t.auto()
		if err != nil {
			return nil, err
		}
		ops = append(ops, auto)
	}
	chances := []sometimes{{t.GrayProb, withoutColor{}}, {t.BlurProb, randomBlur{}}}
	if len(t.ColorJitter) > 0 {
		jitter, err := colorJitter(t.ColorJitter)
		if err != nil {
			return nil, err
		}
		chances = append([]sometimes{{cmp.Or(t.JitterProb, 1), jitter}}, chances...)
	}
	for _, c := range chances {
		if !(c.probability >= 0 && c.probability <= 1) {
			return nil, fmt.Errorf("probability %v of %s; it must be from 0 to 1", c.probability, c.op)
		}
		if c.probability > 0 {
			ops = append(ops, c)
		}
	}
	return ops, nil
}

// auto is the automatic augmentation.
func (t *Train) auto() (Op, error) {
	// The longest absolute translation, and the part of the side, are timm's.
	l := look{pixels: math.Trunc(float64(t.Size) * 0.45), part: 0.45}
	for c := range t.Channels {
		mean, err := perChannel("mean", t.Mean, c, t.Channels)
		if err != nil {
			return nil, err
		}
		l.fill[c] = uint8(min(max(math.RoundToEven(255*mean), 0), 255))
	}
	var err error
	if l.filters, err = filters(t.Interpolation); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(l.filters, func(f imaging.Filter) bool { return f == imaging.Box || f == imaging.Lanczos }) {
		return nil, fmt.Errorf("%s interpolation for the automatic augmentation %s, which moves pixels by nearest, bilinear, bicubic or random", t.Interpolation, t.Auto)
	}
	op, err := parseAuto(t.Auto, l)
	if err != nil {
		return nil, fmt.Errorf("automatic augmentation %s: %w", t.Auto, err)
	}
	return op, nil
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
	var err error
	op.Filters, err = filters(t.Interpolation)
	return op, err
}

// filters are those that an interpolation draws from.
func filters(interpolation string) ([]imaging.Filter, error) {
	if interpolation == "" || interpolation == "random" {
		return []imaging.Filter{imaging.Bilinear, imaging.Bicubic}, nil
	}
	filter, err := imaging.ParseFilter(interpolation)
	return []imaging.Filter{filter}, err
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
