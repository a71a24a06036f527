package data

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/seed52467199/trainer/data/imaging"
)

// Description says what a data set holds.
type Description struct {
	// Samples is their number, and Channels what they are stored with.
	Samples, Channels int
	// Task is what is asked about them.
	Task Task
	// Classes counts the samples of each class, or with each label. It is empty for
	// Regress.
	Classes []ClassCount
	// Values are those to be learned, for Regress.
	Values []ValueSpan
	// Features are those of a table's rows, which count as one pixel.
	Features []string
	// Measured is the number of samples that were looked at for what follows.
	Measured int
	// Width and Height span the sizes in pixels.
	Width, Height Span
	// Bad counts samples that could not be read, and FirstBad is the error of
	// the first.
	Bad      int
	FirstBad error
}

// ClassCount is a class and how many samples it has.
type ClassCount struct {
	Name  string
	Count int
}

// ValueSpan is what one of the values to be learned looks like.
type ValueSpan struct {
	Name string
	// Min and Max span the values; Std is their standard deviation.
	Min, Max, Mean, Std float64
}

// Span is the smallest and the largest value seen.
type Span struct{ Min, Max int }

func (s *Span) include(v int, first bool) {
	if first {
		s.Min, s.Max = v, v
	}
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
}

// countClasses counts the samples of each class, or with each label.
func countClasses(ds Dataset) []ClassCount {
	counts := make([]ClassCount, len(ds.Classes()))
	for l, name := range ds.Classes() {
		counts[l].Name = name
	}
	t, several := ds.(Targeted)
	target := make([]float32, len(counts))
	for i := range ds.Len() {
		if !several {
			counts[ds.Label(i)].Count++
			continue
		}
		t.Target(i, target)
		for l, v := range target {
			if v > 0 {
				counts[l].Count++
			}
		}
	}
	return counts
}

// TargetSpans tells of each of the numbers in the targets of ds how it is
// distributed, over all samples: what regression may standardise its values by.
func TargetSpans(ds Targeted) []ValueSpan {
	spans := make([]ValueSpan, len(ds.Classes()))
	for k, name := range ds.Classes() {
		spans[k] = ValueSpan{Name: name, Min: math.Inf(1), Max: math.Inf(-1)}
	}
	target, m2 := make([]float32, len(spans)), make([]float64, len(spans))
	for i := range ds.Len() {
		ds.Target(i, target)
		for k, v := range target {
			s, x := &spans[k], float64(v)
			s.Min, s.Max = min(s.Min, x), max(s.Max, x)
			delta := x - s.Mean // as in tensorStats
			s.Mean += delta / float64(i+1)
			m2[k] += delta * (x - s.Mean)
		}
	}
	for k := range spans {
		spans[k].Std = math.Sqrt(m2[k] / float64(ds.Len()))
	}
	return spans
}

// FirstTensor is the shape of the first sample of ds where it is a tensor, without
// its values; false where it is a picture.
func FirstTensor(ds Dataset) (Tensor, bool) {
	var s Sample
	if ds.Len() == 0 || ds.Read(0, &s) != nil || s.Tensor.Values == nil {
		return Tensor{}, false
	}
	s.Tensor.Values = nil
	return s.Tensor, true
}

// Describe counts the classes of ds and measures limit of its samples, evenly
// spaced (0: all). Of encoded pictures it reads the headers only.
func Describe(ds Dataset, limit int) Description {
	d := Description{Samples: ds.Len(), Channels: ds.Channels(), Task: TaskOf(ds)}
	if d.Task == Regress {
		d.Values = TargetSpans(ds.(Targeted))
	} else {
		d.Classes = countClasses(ds)
	}
	first, _ := FirstTensor(ds)
	d.Features = first.Features
	var s Sample
	for i := range spaced(ds.Len(), limit) {
		width, height, err := measure(ds, i, &s)
		if err != nil {
			if d.Bad++; d.Bad == 1 {
				d.FirstBad = err
			}
			continue
		}
		d.Width.include(width, d.Measured == 0)
		d.Height.include(height, d.Measured == 0)
		d.Measured++
	}
	return d
}

// measure finds the size of sample i.
func measure(ds Dataset, i int, s *Sample) (width, height int, err error) {
	if err := ds.Read(i, s); err != nil {
		return 0, 0, err
	}
	switch {
	case s.Tensor.Values != nil:
		return s.Tensor.Width, s.Tensor.Height, nil
	case s.Encoded == nil:
		return s.Image.Width, s.Image.Height, nil
	}
	info, err := imaging.DecodeInfo(s.Encoded)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", ds.Name(i), err)
	}
	return info.Width, info.Height, nil
}

// Spaced is limit samples of ds, evenly spaced (0: all): from all over the data, which is
// often sorted by class.
func Spaced(ds Dataset, limit int) Dataset {
	return Subset(ds, slices.Collect(spaced(ds.Len(), limit)))
}

// spaced yields limit indices below n, evenly spaced, or all of them.
func spaced(n, limit int) iter.Seq[int] {
	if limit <= 0 || limit > n {
		limit = n
	}
	return func(yield func(int) bool) {
		for k := range limit {
			if !yield(k * n / limit) {
				return
			}
		}
	}
}

// MeanStd computes the mean and the standard deviation of each channel over the
// pixels, scaled to 0..1, of limit pictures of ds, evenly spaced (0: all). They
// are what a Transform normalises with. channels is 1 or 3 and need not be what
// the pictures are stored with. A picture that cannot be read is an error. Of
// tensors it measures the values as they are, and channels must be theirs.
func MeanStd(ds Dataset, channels, limit int) (mean, std []float64, err error) {
	if _, ok := FirstTensor(ds); ok {
		return tensorStats(ds, channels, limit)
	}
	if channels != 1 && channels != 3 {
		return nil, nil, fmt.Errorf("statistics of %d channels; there can be 1 (gray) or 3 (RGB)", channels)
	}
	var s Sample
	var decoded, converted imaging.Image
	var counts [3][256]uint64 // exact, whatever the order
	for i := range spaced(ds.Len(), limit) {
		if err := ds.Read(i, &s); err != nil {
			return nil, nil, err
		}
		picture, err := s.Picture(&decoded, channels)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", ds.Name(i), err)
		}
		if picture.Channels != channels {
			imaging.Convert(&converted, picture, channels)
			picture = &converted
		}
		for y := range picture.Height {
			for x, v := range picture.Row(y) {
				counts[x%channels][v]++
			}
		}
	}
	for _, histogram := range counts[:channels] {
		var n, sum, squares float64
		for v, count := range histogram {
			x := float64(v) / 255
			n += float64(count)
			sum += float64(count) * x
			squares += float64(count) * x * x
		}
		m := sum / n
		mean = append(mean, m)
		std = append(std, math.Sqrt(max(squares/n-m*m, 0)))
	}
	return mean, std, nil
}

// tensorStats is MeanStd of tensors.
func tensorStats(ds Dataset, channels, limit int) (mean, std []float64, err error) {
	if channels != ds.Channels() {
		return nil, nil, fmt.Errorf("statistics of %d channels; the data has %d", channels, ds.Channels())
	}
	mean, std = make([]float64, channels), make([]float64, channels)
	var s Sample
	n := 0.0 // values of a channel before the sample
	for i := range spaced(ds.Len(), limit) {
		if err := ds.Read(i, &s); err != nil {
			return nil, nil, err
		}
		area := s.Tensor.Height * s.Tensor.Width
		for k := range channels {
			for at, v := range s.Tensor.Values[k*area : (k+1)*area] {
				delta := float64(v) - mean[k] // Welford 1962: no loss by large means
				mean[k] += delta / (n + float64(at+1))
				std[k] += delta * (float64(v) - mean[k])
			}
		}
		n += float64(area)
	}
	for k := range std {
		std[k] = math.Sqrt(std[k] / n)
	}
	return mean, std, nil
}
