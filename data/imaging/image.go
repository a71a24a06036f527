package imaging

import "github.com/seed52467199/trainer/data/imaging/pixel"

// Image is an 8-bit picture of one (gray) or three (RGB) interleaved channels:
// the value of channel c at (x, y) is Pix[y*Stride+x*Channels+c].
type Image struct {
	Pix           []uint8
	Width, Height int
	// Channels is 1 or 3.
	Channels int
	// Stride is the number of bytes from one row to the next, at least
	// Width*Channels; it is more in a view made by Crop.
	Stride int
}

// New returns a black image.
func New(width, height, channels int) *Image {
	im := new(Image)
	im.Reset(width, height, channels)
	return im
}

// Reset gives im a new size and reuses its buffer where that is large enough.
// The pixels are whatever the buffer held: the caller writes all of them.
func (im *Image) Reset(width, height, channels int) {
	n := width * height * channels
	if cap(im.Pix) < n {
		im.Pix = make([]uint8, n)
	}
	im.Pix = im.Pix[:n]
	im.Width, im.Height, im.Channels, im.Stride = width, height, channels, width*channels
}

// Row returns the Width*Channels bytes of row y.
func (im *Image) Row(y int) []uint8 {
	start := y * im.Stride
	return im.Pix[start : start+im.Width*im.Channels : start+im.Width*im.Channels]
}

// Crop returns the view of the rectangle of width x height pixels at (x, y),
// which must lie inside im. It shares im's pixels.
func (im *Image) Crop(x, y, width, height int) Image {
	if x < 0 || y < 0 || width < 0 || height < 0 || x+width > im.Width || y+height > im.Height {
		panic("imaging: crop outside the image")
	}
	view := Image{Width: width, Height: height, Channels: im.Channels, Stride: im.Stride}
	if width > 0 && height > 0 {
		start := y*im.Stride + x*im.Channels
		view.Pix = im.Pix[start : start+(height-1)*im.Stride+width*im.Channels]
	}
	return view
}

// CopyFrom makes im a copy of src in its own buffer.
func (im *Image) CopyFrom(src *Image) {
	im.Reset(src.Width, src.Height, src.Channels)
	for y := range src.Height {
		copy(im.Row(y), src.Row(y))
	}
}

// Convert makes dst a copy of src with the given number of channels: RGB turns
// gray by [pixel.Luma], gray turns RGB by repetition. dst and src must differ.
func Convert(dst, src *Image, channels int) {
	if src.Channels == channels {
		dst.CopyFrom(src)
		return
	}
	dst.Reset(src.Width, src.Height, channels)
	for y := range src.Height {
		if channels == 1 {
			pixel.Luma(dst.Row(y), src.Row(y))
		} else {
			repeatRow(dst.Row(y), src.Row(y))
		}
	}
}

func repeatRow(rgb, gray []uint8) {
	for x, v := range gray {
		p := rgb[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = v, v, v
	}
}

// Mirror folds an index into 0..n-1 by reflection about the first and last.
func Mirror(i, n int) int {
	if n == 1 {
		return 0
	}
	i %= 2 * (n - 1)
	if i < 0 {
		i += 2 * (n - 1)
	}
	if i >= n {
		i = 2*(n-1) - i
	}
	return i
}
