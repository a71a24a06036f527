package transform

import (
	"math"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/internal/rng"
)

// RandomResizedCrop cuts a random box and scales it to Size x Size: the crop of
// Inception (Szegedy et al. 2014, arXiv 1409.4842) by torchvision's rule, which
// timm shares. Ten times it draws an area and an aspect ratio; if no box fits,
// it takes the largest central box whose ratio is within Ratio.
type RandomResizedCrop struct {
	// Size is the output's side in pixels.
	Size int
	// Scale bounds the box's area as a fraction of the picture's.
	Scale [2]float64
	// Ratio bounds the box's width/height; log-uniform.
	Ratio [2]float64
	// Filters are drawn from with equal chances.
	Filters []imaging.Filter
}

// Apply implements Op.
func (c RandomResizedCrop) Apply(w *Workspace, s *rng.Stream) {
	src := w.Current()
	x, y, width, height := c.box(src.Width, src.Height, s)
	filter := drawn(c.Filters, s)
	part := src.Crop(x, y, width, height)
	w.Resizer.Resize(w.Target(), &part, part.Bounds(), c.Size, c.Size, filter)
	w.Commit()
}

// box draws the rectangle for a picture of width x height.
func (c RandomResizedCrop) box(width, height int, s *rng.Stream) (x, y, w, h int) {
	area := float64(width) * float64(height)
	low, high := math.Log(c.Ratio[0]), math.Log(c.Ratio[1])
	for range 10 {
		target := area * s.Uniform(c.Scale[0], c.Scale[1])
		aspect := math.Exp(s.Uniform(low, high))
		w = int(math.RoundToEven(math.Sqrt(target * aspect)))
		h = int(math.RoundToEven(math.Sqrt(target / aspect)))
		if 0 < w && w <= width && 0 < h && h <= height {
			return s.IntN(width - w + 1), s.IntN(height - h + 1), w, h
		}
	}
	w, h = width, height
	switch ratio := float64(width) / float64(height); {
	case ratio < c.Ratio[0]:
		h = min(max(int(math.RoundToEven(float64(w)/c.Ratio[0])), 1), height)
	case ratio > c.Ratio[1]:
		w = min(max(int(math.RoundToEven(float64(h)*c.Ratio[1])), 1), width)
	}
	return (width - w) / 2, (height - h) / 2, w, h
}

// PadCrop adds Padding pixels on every side and cuts a random box of the
// picture's own size: the usual augmentation of 32x32 pictures (Lee et al. 2014,
// arXiv 1409.5185; He et al. 2015).
type PadCrop struct {
	// Padding is the border in pixels.
	Padding int
	// Reflect mirrors the picture into the border, without repeating its edge;
	// otherwise the border is black.
	Reflect bool
}

// Apply implements Op.
func (p PadCrop) Apply(w *Workspace, s *rng.Stream) {
	src, dst := w.Current(), w.Target()
	dx, dy := s.IntN(2*p.Padding+1)-p.Padding, s.IntN(2*p.Padding+1)-p.Padding
	dst.Reset(src.Width, src.Height, src.Channels)
	c := src.Channels
	// Columns from..to-1 of the output lie inside the picture.
	from := min(max(-dx, 0), src.Width)
	to := max(min(src.Width-dx, src.Width), from)
	for y := range dst.Height {
		out, sy := dst.Row(y), y+dy
		if p.Reflect {
			sy = imaging.Mirror(sy, src.Height)
		} else if sy < 0 || sy >= src.Height {
			clear(out)
			continue
		}
		in := src.Row(sy)
		if from < to {
			copy(out[from*c:to*c], in[(from+dx)*c:])
		}
		if p.Reflect {
			for x := range dst.Width {
				if x < from || x >= to {
					copy(out[x*c:(x+1)*c], in[imaging.Mirror(x+dx, src.Width)*c:])
				}
			}
		} else {
			clear(out[:from*c])
			clear(out[to*c:])
		}
	}
	w.Commit()
}

// Place is where a crop of evaluation lies: the five of torchvision's FiveCrop.
type Place int

// The middle, as usual, and the four corners.
const (
	Middle Place = iota
	TopLeft
	TopRight
	BottomLeft
	BottomRight
)

// Places are all of them, the middle first.
var Places = []Place{Middle, TopLeft, TopRight, BottomLeft, BottomRight}

// of is where a crop begins in a picture that is so many pixels larger.
func (p Place) of(spareX, spareY int) (x, y int) {
	switch p {
	case TopLeft:
		return 0, 0
	case TopRight:
		return spareX, 0
	case BottomLeft:
		return 0, spareY
	case BottomRight:
		return spareX, spareY
	}
	// Python's round, which torchvision uses, takes halves to even.
	return int(math.RoundToEven(float64(spareX) / 2)), int(math.RoundToEven(float64(spareY) / 2))
}

// CenterCrop scales the short side to floor(Size/Pct), keeping the aspect, and
// cuts the central Size x Size, or a corner of this size: the evaluation of timm and
// torchvision. A picture that is Size x Size already, as in CIFAR or MNIST, is left as
// it is whatever Pct says.
type CenterCrop struct {
	// Size is the output's side in pixels.
	Size int
	// Pct is the part of the scaled short side that the crop keeps, in (0, 1].
	Pct float64
	// Filter resamples.
	Filter imaging.Filter
	// Place is where the crop lies.
	Place Place
}

// Apply implements Op.
func (c CenterCrop) Apply(w *Workspace, _ *rng.Stream) {
	src := w.Current()
	if src.Width == c.Size && src.Height == c.Size {
		return
	}
	width, height := c.scaled(src.Width, src.Height)
	x, y := c.Place.of(width-c.Size, height-c.Size)
	win := imaging.Window{X: x, Y: y, Width: c.Size, Height: c.Size}
	w.Resizer.ResizeWindow(w.Target(), src, src.Bounds(), width, height, c.Filter, win)
	w.Commit()
}

// scaled is the size that a picture of width x height gets before the crop.
func (c CenterCrop) scaled(width, height int) (int, int) {
	short := int(math.Floor(float64(c.Size) / c.Pct))
	if width <= height {
		return short, int(float64(short*height) / float64(width))
	}
	return int(float64(short*width) / float64(height)), short
}
