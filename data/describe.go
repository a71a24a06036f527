package data

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/data/imaging"
)

// Description says what a data set holds.
type Description struct {
	// Samples is their number, and Channels what they are stored with.
	Samples, Channels int
	// Classes counts the samples of each class.
	Classes []ClassCount
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

// Span is the smallest and the largest value seen.
type Span struct{ Min, Max int }

func (s *Span) include(v int, first bool) {
	if first {
		s.Min, s.Max = v, v
	}
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
}

// Describe counts the classes of ds and measures limit of its samples, evenly
// spaced (0: all). Of encoded pictures it reads the headers only.
func Describe(ds Dataset, limit int) Description {
	d := Description{Samples: ds.Len(), Channels: ds.Channels()}
	for _, name := range ds.Classes() {
		d.Classes = append(d.Classes, ClassCount{Name: name})
	}
	for i := range ds.Len() {
		d.Classes[ds.Label(i)].Count++
	}
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

// spaced yields limit indices below n, evenly spaced, or all of them.
func spaced(n, limit int) func(yield func(int) bool) {
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
// the pictures are stored with. A picture that cannot be read is an error.
func MeanStd(ds Dataset, channels, limit int) (mean, std []float64, err error) {
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
