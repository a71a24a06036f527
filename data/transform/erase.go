package transform

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/internal/rng"
)

// Erase is random erasing (Zhong et al. 2017, arXiv 1708.04896) by timm's rule: in
// the normalised picture, boxes of 2% to 1/3 of its area together and an aspect from
// .3 to 1/.3 are overwritten. The zero Erase does nothing.
type Erase struct {
	// Prob is the probability that a picture is erased from.
	Prob float64
	// Mode is what is written: "const", zero, which is the mean colour; "rand", a
	// normally distributed colour; "pixel", noise. Empty is "const".
	Mode string
	// Count is the greatest number of boxes; it is drawn from 1 on, and the area
	// divided by it. 0 is 1.
	Count int
}

func (e Erase) check() error {
	switch {
	case !(e.Prob >= 0 && e.Prob <= 1):
		return fmt.Errorf("probability %v of erasing; it must be from 0 to 1", e.Prob)
	case e.Mode != "" && e.Mode != "const" && e.Mode != "rand" && e.Mode != "pixel":
		return fmt.Errorf("erase mode %q is unknown; known are const, rand and pixel", e.Mode)
	case e.Count < 0:
		return fmt.Errorf("%d boxes to erase; there must be at least 1", e.Count)
	}
	return nil
}

// apply erases from an image of height x width x channels.
func (e Erase) apply(image []float32, height, width, channels int, s *rng.Stream) {
	if e.Prob == 0 || !s.Bernoulli(e.Prob) {
		return
	}
	count := 1
	if e.Count > 1 {
		count += s.IntN(e.Count)
	}
	for range count {
		for range 10 {
			area := s.Uniform(0.02, 1./3) * float64(height*width) / float64(count)
			aspect := math.Exp(s.Uniform(math.Log(0.3), math.Log(1/0.3)))
			h := int(math.RoundToEven(math.Sqrt(area * aspect)))
			w := int(math.RoundToEven(math.Sqrt(area / aspect)))
			if h < height && w < width {
				y, x := s.IntN(height-h+1), s.IntN(width-w+1)
				e.fill(image[(y*width+x)*channels:], width*channels, h, w*channels, channels, s)
				break
			}
		}
	}
}

// fill overwrites rows of n values, stride apart.
func (e Erase) fill(box []float32, stride, rows, n, channels int, s *rng.Stream) {
	var color [3]float32
	if e.Mode == "rand" {
		for c := range channels {
			color[c] = float32(s.Norm())
		}
	}
	for y := range rows {
		row := box[y*stride:][:n]
		for i := range row {
			if e.Mode == "pixel" {
				row[i] = float32(s.Norm())
			} else {
				row[i] = color[i%channels]
			}
		}
	}
}
