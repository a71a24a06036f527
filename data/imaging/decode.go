package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"sync"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"github.com/seed52467199/trainer/data/imaging/jpeg"
	"github.com/seed52467199/trainer/data/imaging/pixel"
)

// MaxPixels is the largest picture that Decode accepts, Pillow's limit against
// decompression bombs.
const MaxPixels = 178956970

// Extensions are the file names' endings, in lower case, of the formats that
// Decode reads. Decode itself goes by the contents.
var Extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}

// codec is one picture format: how it begins and how it is read.
type codec struct {
	name  string
	magic string // ? stands for any byte
	// header finds the size as stored, and 1 or 3 channels.
	header func(d *Decoder) (Info, error)
	// decode fills dst, with 1 or 3 channels.
	decode func(d *Decoder, dst *Image, channels int) error
}

var codecs = []codec{
	{"JPEG", "\xff\xd8\xff", jpegHeader, decodeJPEG},
	standard("PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode),
	standard("GIF", "GIF8", gif.DecodeConfig, gif.Decode),
	standard("BMP", "BM", bmp.DecodeConfig, bmp.Decode),
	standard("WebP", "RIFF????WEBP", webp.DecodeConfig, webp.Decode),
}

// standard makes a codec of a decoder for the standard library's images.
func standard(name, magic string, config func(io.Reader) (image.Config, error), decode func(io.Reader) (image.Image, error)) codec {
	return codec{name, magic,
		func(d *Decoder) (Info, error) {
			c, err := config(bytes.NewReader(d.data))
			info := Info{Width: c.Width, Height: c.Height, Channels: 3}
			if c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model {
				info.Channels = 1
			}
			return info, err
		},
		func(d *Decoder, dst *Image, channels int) error {
			src, err := decode(bytes.NewReader(d.data))
			if err == nil {
				fromStandard(dst, src, channels)
			}
			return err
		}}
}

func jpegHeader(d *Decoder) (Info, error) {
	if err := d.jpeg.Header(d.data); err != nil {
		return Info{}, err
	}
	info := Info{Width: d.jpeg.Width, Height: d.jpeg.Height, Channels: 3}
	if d.jpeg.Gray() {
		info.Channels = 1
	}
	return info, nil
}

func decodeJPEG(d *Decoder, dst *Image, channels int) error {
	if err := d.jpeg.Decode(d.data); err != nil {
		return err
	}
	fill(dst, d.jpeg.Width, d.jpeg.Height, d.jpeg.Gray(), channels, &d.row, d.jpeg.Row)
	return nil
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

// Decoder decodes one picture after another, whole or in part, and keeps its
// memory. The zero Decoder is ready. It is not safe for concurrent use: a worker
// has its own.
type Decoder struct {
	jpeg jpeg.Decoder
	row  []uint8 // of a JPEG, before its channels are converted

	data  []byte
	codec *codec
	info  Info // upright
	turn  turn

	whole, upright Image
}

// Open takes an encoded picture, to be decoded next, and reads its header. data
// is kept until then.
func (d *Decoder) Open(data []byte) (Info, error) {
	d.data, d.codec = data, nil
	c, err := sniff(data)
	if err != nil {
		return Info{}, err
	}
	info, err := c.header(d)
	if err != nil {
		return Info{}, fmt.Errorf("damaged %s header: %w", c.name, err)
	}
	if info.Width <= 0 || info.Height <= 0 || info.Width > MaxPixels/info.Height {
		return Info{}, fmt.Errorf("%s of %dx%d pixels; expected 1 to %d pixels", c.name, info.Width, info.Height, MaxPixels)
	}
	info.Format = c.name
	d.turn = turns[exifOrientation(data)]
	if d.turn.swap {
		info.Width, info.Height = info.Height, info.Width
	}
	d.codec, d.info = c, info
	return info, nil
}

// errNotOpen is what decoding gives that no Open went before.
var errNotOpen = errors.New("no picture has been opened")

// Decode decodes the whole picture that was opened into dst, as the function
// Decode does.
func (d *Decoder) Decode(dst *Image, channels int) error {
	if d.codec == nil {
		return errNotOpen
	}
	if channels == 0 {
		channels = d.info.Channels
	}
	to := dst
	if d.turn != (turn{}) {
		to = &d.whole
	}
	if err := d.codec.decode(d, to, channels); err != nil {
		return fmt.Errorf("damaged or truncated %s: %w", d.codec.name, err)
	}
	if to != dst {
		d.turn.orient(dst, to)
	}
	return nil
}

// DecodePart returns an image, and a box in it, that show the rectangle of width
// x height pixels at (x, y) of the picture that was opened. They are for training,
// to be resized to least x least; whatever may be left out for that is:
//
//   - A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that leaves the box
//     at least as large as least x least.
//   - Otherwise the box is the whole image, and its pixels are those that the
//     whole picture has there. Of a JPEG nothing else is transformed or coloured,
//     and damage below the rectangle is not noticed, except where the file lacks
//     its end.
//   - Gray of a colour JPEG is the file's luma; colour is not decoded. Decode
//     makes it of RGB as Pillow does, which differs where a colour was clamped.
//
// The image is valid until the next use of d.
func (d *Decoder) DecodePart(x, y, width, height, channels, least int) (Image, Rect, error) {
	if d.codec == nil {
		return Image{}, Rect{}, errNotOpen
	}
	if d.codec.name != "JPEG" {
		if err := d.Decode(&d.upright, channels); err != nil {
			return Image{}, Rect{}, err
		}
		part := d.upright.Crop(x, y, width, height)
		return part, part.Bounds(), nil
	}
	if x < 0 || y < 0 || width < 1 || height < 1 || x+width > d.info.Width || y+height > d.info.Height {
		panic("imaging: part outside the picture")
	}
	x, y, width, height = d.turn.stored(x, y, width, height, d.info.Width, d.info.Height)
	n := 8
	for n > 1 && (width < n*least || height < n*least) {
		n /= 2
	}
	p := jpeg.Part{Shrink: n, X: x / n, Y: y / n, Gray: channels == 1}
	p.Width, p.Height = (x+width+n-1)/n-p.X, (y+height+n-1)/n-p.Y
	if err := d.jpeg.DecodePart(d.data, p); err != nil {
		return Image{}, Rect{}, fmt.Errorf("damaged or truncated %s: %w", d.codec.name, err)
	}
	fill(&d.whole, p.Width, p.Height, d.jpeg.Gray(), channels, &d.row, d.jpeg.Row)
	scale := 1 / float32(n) // a power of two: every coordinate is exact
	box := Rect{X0: float32(x-p.X*n) * scale, Y0: float32(y-p.Y*n) * scale}
	box.X1, box.Y1 = box.X0+float32(width)*scale, box.Y0+float32(height)*scale
	if d.turn == (turn{}) {
		return d.whole, box, nil
	}
	d.turn.orient(&d.upright, &d.whole)
	return d.upright, d.turn.box(box, &d.upright), nil
}

// decoders keeps decoders with their buffers.
var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// DecodeInfo reads the header of an encoded picture.
func DecodeInfo(data []byte) (Info, error) {
	d := decoders.Get().(*Decoder)
	defer decoders.Put(d)
	info, err := d.Open(data)
	d.data = nil
	return info, err
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
	d := decoders.Get().(*Decoder)
	defer decoders.Put(d)
	_, err := d.Open(data)
	if err == nil {
		err = d.Decode(dst, channels)
	}
	d.data = nil
	return err
}

// fill makes dst of the rows of a decoded picture, gray or RGB as row writes
// them, with 1 or 3 channels; spare is a row's buffer for the conversion.
func fill(dst *Image, width, height int, gray bool, channels int, spare *[]uint8, row func(dst []uint8, y int)) {
	native, convert := 3, pixel.Luma
	if gray {
		native, convert = 1, repeatRow
	}
	dst.Reset(width, height, channels)
	if channels == native {
		for y := range height {
			row(dst.Row(y), y)
		}
		return
	}
	*spare = grow(*spare, width*native)
	for y := range height {
		row(*spare, y)
		convert(dst.Row(y), *spare)
	}
}

// fromStandard copies src into dst, with 1 or 3 channels.
func fromStandard(dst *Image, src image.Image, channels int) {
	bounds := src.Bounds()
	w, h := bounds.Dx(), bounds.Dy()
	gray := false
	var row func(dst []uint8, y int)
	switch src := src.(type) {
	case *image.Gray:
		gray = true
		row = func(dst []uint8, y int) { copy(dst, src.Pix[y*src.Stride:]) }
	case *image.Gray16:
		gray = true
		row = func(dst []uint8, y int) {
			for x := range dst {
				dst[x] = src.Pix[y*src.Stride+2*x]
			}
		}
	case *image.NRGBA:
		row = func(dst []uint8, y int) { takeRGB(dst, src.Pix[y*src.Stride:], 4, 1) }
	case *image.RGBA:
		row = func(dst []uint8, y int) { takeRGB(dst, src.Pix[y*src.Stride:], 4, 1) }
	case *image.NRGBA64:
		row = func(dst []uint8, y int) { takeRGB(dst, src.Pix[y*src.Stride:], 8, 2) }
	case *image.RGBA64:
		row = func(dst []uint8, y int) { takeRGB(dst, src.Pix[y*src.Stride:], 8, 2) }
	case *image.Paletted:
		palette := straight(src.Palette)
		row = func(dst []uint8, y int) {
			for x, i := range src.Pix[y*src.Stride:][:w] {
				copy(dst[3*x:3*x+3], palette[i][:])
			}
		}
	default:
		row = func(dst []uint8, y int) {
			for x := range w {
				c := color.NRGBAModel.Convert(src.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.NRGBA)
				dst[3*x], dst[3*x+1], dst[3*x+2] = c.R, c.G, c.B
			}
		}
	}
	var spare []uint8
	fill(dst, w, h, gray, channels, &spare, row)
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
