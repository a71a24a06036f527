package transform

import (
	"math"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/adjust"
	"github.com/seed52467199/trainer/internal/rng"
)

// magnitudes is what a magnitude is a part of: 10 is a policy's strongest.
const magnitudes = 10

// operation is a change of the picture that policies choose from, under timm's name.
type operation struct {
	name string
	// argument makes what the change takes of a magnitude. nil: it takes nothing.
	argument func(magnitude float64, l *look, s *rng.Stream) float64
	apply    func(w *Workspace, argument float64, l *look, s *rng.Stream)
}

// look is what the operations of one policy share.
type look struct {
	// fill is the colour beyond the picture's edge.
	fill [3]uint8
	// filters are drawn from with equal chances where pixels are moved.
	filters []imaging.Filter
	// pixels and part are the longest translation, absolute and of the side.
	pixels, part float64
}

// operations are timm's, apart from those that only count magnitudes otherwise.
var operations = named(
	operation{"AutoContrast", nil, autoContrast},
	operation{"Equalize", nil, equalize},
	operation{"Invert", nil, invert},
	operation{"Rotate", upTo(30), rotate},
	operation{"Posterize", bits, posterize},
	operation{"PosterizeIncreasing", lost(4, bits), posterize},
	operation{"PosterizeOriginal", added(4, bits), posterize},
	operation{"Solarize", threshold, solarize},
	operation{"SolarizeIncreasing", lost(256, threshold), solarize},
	operation{"SolarizeAdd", addition, solarizeAdd},
	operation{"Color", factor, color},
	operation{"ColorIncreasing", factorAround, color},
	operation{"Contrast", factor, contrast},
	operation{"ContrastIncreasing", factorAround, contrast},
	operation{"Brightness", factor, brightness},
	operation{"BrightnessIncreasing", factorAround, brightness},
	operation{"Sharpness", factor, sharpness},
	operation{"SharpnessIncreasing", factorAround, sharpness},
	operation{"ShearX", upTo(0.3), shearX},
	operation{"ShearY", upTo(0.3), shearY},
	operation{"TranslateX", translation, translateX},
	operation{"TranslateY", translation, translateY},
	operation{"TranslateXRel", translationPart, translateXRel},
	operation{"TranslateYRel", translationPart, translateYRel},
	operation{"Desaturate", between(0.5, 1), desaturate},
	operation{"GaussianBlur", between(0.1, 2), gaussianBlur},
	operation{"GaussianBlurRand", between(0, 1), gaussianBlurRand},
)

func named(list ...operation) map[string]operation {
	m := map[string]operation{}
	for _, o := range list {
		m[o.name] = o
	}
	return m
}

// Magnitudes become arguments.

// negated is v or -v, with equal chances.
func negated(v float64, s *rng.Stream) float64 {
	if s.Bernoulli(0.5) {
		return -v
	}
	return v
}

// upTo is a part of most, to either side.
func upTo(most float64) func(float64, *look, *rng.Stream) float64 {
	return func(m float64, _ *look, s *rng.Stream) float64 { return negated(m/magnitudes*most, s) }
}

// between is a part of the way from low to high, and no further.
func between(low, high float64) func(float64, *look, *rng.Stream) float64 {
	return func(m float64, _ *look, _ *rng.Stream) float64 {
		return min(max(low+(high-low)*(m/magnitudes), low), high)
	}
}

// factor of an enhancement is from .1 to 1.9; 1, in the middle, changes nothing.
func factor(m float64, _ *look, _ *rng.Stream) float64 { return m/magnitudes*1.8 + 0.1 }

// factorAround is the further from 1, to either side, the greater the magnitude.
func factorAround(m float64, _ *look, s *rng.Stream) float64 {
	return max(0.1, 1+negated(m/magnitudes*0.9, s))
}

// bits is how many a posterised value keeps: the more, the greater the magnitude.
func bits(m float64, _ *look, _ *rng.Stream) float64 { return math.Trunc(m / magnitudes * 4) }

// threshold of solarising is the higher, and its effect the smaller, the greater
// the magnitude.
func threshold(m float64, _ *look, _ *rng.Stream) float64 {
	return min(256, math.Trunc(m/magnitudes*256))
}

func addition(m float64, _ *look, _ *rng.Stream) float64 {
	return min(128, math.Trunc(m/magnitudes*110))
}

func translation(m float64, l *look, s *rng.Stream) float64 {
	return negated(m/magnitudes*l.pixels, s)
}

func translationPart(m float64, l *look, s *rng.Stream) float64 {
	return negated(m/magnitudes*l.part, s)
}

// lost takes another argument from n.
func lost(n float64, of func(float64, *look, *rng.Stream) float64) func(float64, *look, *rng.Stream) float64 {
	return func(m float64, l *look, s *rng.Stream) float64 { return n - of(m, l, s) }
}

// added adds n to another argument.
func added(n float64, to func(float64, *look, *rng.Stream) float64) func(float64, *look, *rng.Stream) float64 {
	return func(m float64, l *look, s *rng.Stream) float64 { return n + to(m, l, s) }
}

// The changes themselves.

// lookUp maps the picture's values by the workspace's table.
func (w *Workspace) lookUp() {
	w.table.Apply(w.Target(), w.Current())
	w.Commit()
}

func autoContrast(w *Workspace, _ float64, _ *look, _ *rng.Stream) {
	w.table.AutoContrast(w.Current())
	w.lookUp()
}

func equalize(w *Workspace, _ float64, _ *look, _ *rng.Stream) {
	w.table.Equalize(w.Current())
	w.lookUp()
}

func invert(w *Workspace, _ float64, _ *look, _ *rng.Stream) {
	w.table.Invert()
	w.lookUp()
}

func posterize(w *Workspace, bits float64, _ *look, _ *rng.Stream) {
	if bits < 8 {
		w.table.Posterize(int(bits))
		w.lookUp()
	}
}

func solarize(w *Workspace, threshold float64, _ *look, _ *rng.Stream) {
	w.table.Solarize(threshold)
	w.lookUp()
}

func solarizeAdd(w *Workspace, add float64, _ *look, _ *rng.Stream) {
	w.table.SolarizeAdd(int(add), 128)
	w.lookUp()
}

func brightness(w *Workspace, factor float64, _ *look, _ *rng.Stream) {
	w.table.Brightness(factor)
	w.lookUp()
}

func contrast(w *Workspace, factor float64, _ *look, _ *rng.Stream) {
	w.table.Contrast(w.Current(), factor)
	w.lookUp()
}

func color(w *Workspace, factor float64, _ *look, _ *rng.Stream) {
	if w.Current().Channels == 1 {
		return
	}
	adjust.Color(w.Target(), w.Current(), factor)
	w.Commit()
}

func desaturate(w *Workspace, part float64, l *look, s *rng.Stream) {
	color(w, min(max(1-part, 0), 1), l, s)
}

func hue(w *Workspace, turn float64) {
	if w.Current().Channels == 1 {
		return
	}
	adjust.Hue(w.Target(), w.Current(), turn)
	w.Commit()
}

func sharpness(w *Workspace, factor float64, _ *look, _ *rng.Stream) {
	adjust.Sharpness(w.Target(), w.Current(), factor)
	w.Commit()
}

func gaussianBlur(w *Workspace, radius float64, _ *look, _ *rng.Stream) {
	w.adjuster.Blur(w.Target(), w.Current(), radius)
	w.Commit()
}

func gaussianBlurRand(w *Workspace, most float64, l *look, s *rng.Stream) {
	gaussianBlur(w, s.Uniform(0.1, 2*most), l, s)
}

// move resamples the picture by one of the filters.
func move(w *Workspace, m adjust.Matrix, l *look, s *rng.Stream) {
	adjust.Affine(w.Target(), w.Current(), m, drawn(l.filters, s), l.fill)
	w.Commit()
}

func rotate(w *Workspace, degrees float64, l *look, s *rng.Stream) {
	im := w.Current()
	move(w, adjust.Rotation(im.Width, im.Height, degrees), l, s)
}

func shearX(w *Workspace, by float64, l *look, s *rng.Stream) { move(w, adjust.Shear(by, 0), l, s) }
func shearY(w *Workspace, by float64, l *look, s *rng.Stream) { move(w, adjust.Shear(0, by), l, s) }

func translateX(w *Workspace, pixels float64, l *look, s *rng.Stream) {
	move(w, adjust.Translation(pixels, 0), l, s)
}

func translateY(w *Workspace, pixels float64, l *look, s *rng.Stream) {
	move(w, adjust.Translation(0, pixels), l, s)
}

func translateXRel(w *Workspace, part float64, l *look, s *rng.Stream) {
	translateX(w, part*float64(w.Current().Width), l, s)
}

func translateYRel(w *Workspace, part float64, l *look, s *rng.Stream) {
	translateY(w, part*float64(w.Current().Height), l, s)
}

// drawn is one of the filters; there is no draw where there is no choice.
func drawn(filters []imaging.Filter, s *rng.Stream) imaging.Filter {
	if len(filters) > 1 {
		return filters[s.IntN(len(filters))]
	}
	return filters[0]
}
