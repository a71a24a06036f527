package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// MaxPixels is the largest picture that Decode accepts, Pillow's limit against
// decompression bombs.
const MaxPixels = 178956970

// Extensions are the file names' endings, in lower case, of the formats that
// Decode reads. Decode itself goes by the contents.
var Extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}

// codec is one picture format: how it begins and how it is read.
type codec struct {
	name   string
	magic  string // ? stands for any byte
	config func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
}

var codecs = []codec{
	{"JPEG", "\xff\xd8\xff",
		func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }},
	{"PNG", "\x89PNG\r\n\x1a\n",
		func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }},
	{"GIF", "GIF8",
		func(b []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(b)) }},
	{"BMP", "BM",
		func(b []byte) (image.Config, error) { return bmp.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return bmp.Decode(bytes.NewReader(b)) }},
	{"WebP", "RIFF????WEBP",
		func(b []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }},
}

func (c *codec) matches(data []byte) bool {
	if len(data) < len(c.magic) {
		return false
	}
	for i := range len(c.magic) {
		if c.magic[i] != '?' && c.magic[i] != data[i] {
			return false
		}
	}
	return true
}

func sniff(data []byte) (*codec, error) {
	for i := range codecs {
		if codecs[i].matches(data) {
			return &codecs[i], nil
		}
	}
	if len(data) == 0 {
		return nil, errors.New("the file is empty; expected a JPEG, PNG, GIF, BMP or WebP picture")
	}
	return nil, fmt.Errorf("not a picture that can be read: it begins with % x; expected JPEG, PNG, GIF, BMP or WebP",
		data[:min(8, len(data))])
}

// Info is what a picture's header says.
type Info struct {
	// Format is JPEG, PNG, GIF, BMP or WebP.
	Format string
	// Width and Height are those of the upright picture.
	Width, Height int
	// Channels is 1 for gray and 3 for everything else.
	Channels int
}

// DecodeInfo reads the header of an encoded picture.
func DecodeInfo(data []byte) (Info, error) {
	c, err := sniff(data)
	if err != nil {
		return Info{}, err
	}
	cfg, err := c.config(data)
	if err != nil {
		return Info{}, fmt.Errorf("damaged %s header: %w", c.name, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > MaxPixels/cfg.Height {
		return Info{}, fmt.Errorf("%s of %dx%d pixels; expected 1 to %d pixels", c.name, cfg.Width, cfg.Height, MaxPixels)
	}
	info := Info{c.name, cfg.Width, cfg.Height, 3}
	if cfg.ColorModel == color.GrayModel || cfg.ColorModel == color.Gray16Model {
		info.Channels = 1
	}
	if exifOrientation(data) >= 5 {
		info.Width, info.Height = info.Height, info.Width
	}
	return info, nil
}

// Decode reads an encoded picture into dst, upright by its EXIF orientation.
// channels is 1 for gray, 3 for RGB, or 0 for what the file has.
//
// Colours follow Pillow's convert("RGB") and convert("L"): alpha and
// transparent colours are dropped, not blended; CMYK goes through Adobe's
// inverted convention. Of 16-bit values the high byte is kept. That is Pillow's
// rule for RGB; for 16-bit gray PNG files Pillow has a trap, which is not copied
// here: it opens them as 32-bit integers and convert("L") then clips everything
// above 255 to white.
//
// A truncated or damaged file is an error, and dst is then undefined.
func Decode(dst *Image, data []byte, channels int) error {
	if _, err := DecodeInfo(data); err != nil {
		return err
	}
	c, err := sniff(data)
	if err != nil {
		return err
	}
	src, err := c.decode(data)
	if err != nil {
		return fmt.Errorf("damaged or truncated %s: %w", c.name, err)
	}
	fromStandard(dst, src, channels)
	if o := exifOrientation(data); o > 1 {
		orient(dst, o)
	}
	return nil
}

// fromStandard copies src into dst; channels as in Decode.
func fromStandard(dst *Image, src image.Image, channels int) {
	bounds := src.Bounds()
	w, h := bounds.Dx(), bounds.Dy()
	var row func(rgb []uint8, y int) // writes row y as RGB
	switch src := src.(type) {
	case *image.Gray:
		fromGray(dst, w, h, channels, func(gray []uint8, y int) {
			copy(gray, src.Pix[y*src.Stride:])
		})
		return
	case *image.Gray16:
		fromGray(dst, w, h, channels, func(gray []uint8, y int) {
			for x := range gray {
				gray[x] = src.Pix[y*src.Stride+2*x]
			}
		})
		return
	case *image.NRGBA:
		row = func(rgb []uint8, y int) { takeRGB(rgb, src.Pix[y*src.Stride:], 4, 1) }
	case *image.RGBA:
		row = func(rgb []uint8, y int) { takeRGB(rgb, src.Pix[y*src.Stride:], 4, 1) }
	case *image.NRGBA64:
		row = func(rgb []uint8, y int) { takeRGB(rgb, src.Pix[y*src.Stride:], 8, 2) }
	case *image.RGBA64:
		row = func(rgb []uint8, y int) { takeRGB(rgb, src.Pix[y*src.Stride:], 8, 2) }
	case *image.Paletted:
		palette := straight(src.Palette)
		row = func(rgb []uint8, y int) {
			for x, i := range src.Pix[y*src.Stride:][:w] {
				copy(rgb[3*x:3*x+3], palette[i][:])
			}
		}
	default:
		row = func(rgb []uint8, y int) {
			for x := range w {
				c := color.NRGBAModel.Convert(src.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.NRGBA)
				rgb[3*x], rgb[3*x+1], rgb[3*x+2] = c.R, c.G, c.B
			}
		}
	}
	if channels == 1 {
		dst.Reset(w, h, 1)
		rgb := make([]uint8, 3*w)
		for y := range h {
			row(rgb, y)
			grayRow(dst.Row(y), rgb)
		}
		return
	}
	dst.Reset(w, h, 3)
	for y := range h {
		row(dst.Row(y), y)
	}
}

func fromGray(dst *Image, w, h, channels int, row func(gray []uint8, y int)) {
	dst.Reset(w, h, max(channels, 1))
	if channels != 3 {
		for y := range h {
			row(dst.Row(y), y)
		}
		return
	}
	gray := make([]uint8, w)
	for y := range h {
		row(gray, y)
		repeatRow(dst.Row(y), gray)
	}
}

// takeRGB picks the first three values of every pixel of size bytes, each the
// first of width bytes.
func takeRGB(rgb, pix []uint8, size, width int) {
	for x := range len(rgb) / 3 {
		rgb[3*x], rgb[3*x+1], rgb[3*x+2] = pix[size*x], pix[size*x+width], pix[size*x+2*width]
	}
}

// straight is the palette without alpha. Indices beyond it are black.
func straight(p color.Palette) *[256][3]uint8 {
	var out [256][3]uint8
	for i, c := range p[:min(len(p), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		if exact, ok := c.(color.NRGBA); ok { // the conversion blackens what is fully transparent
			n = exact
		}
		out[i] = [3]uint8{n.R, n.G, n.B}
	}
	return &out
}
