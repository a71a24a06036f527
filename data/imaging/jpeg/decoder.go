package jpeg

import (
	"errors"
	"fmt"
)

// Decoder decodes one file after another in the same memory. The zero Decoder is
// ready. It is not safe for concurrent use.
type Decoder struct {
	// Width and Height are the picture's, in pixels, as stored.
	Width, Height int
	// Components is 1, 3 or 4.
	Components int

	data []byte // of the file, from the segment on that is next
	seen struct{ jfif, adobe, frame bool }

	adobeTransform uint8
	progressive    bool
	interval       int // MCUs between restart markers; 0 for none

	quant [4][64]int32 // in zigzag order
	dc    [4]huffman
	ac    [4]huffman

	components       [4]component
	maxH, maxV       int
	mcusWide, mcusHi int

	bits   bitReader
	eobRun int
	block  [64]int32 // zero between two blocks
	spare  [64]int32 // of blocks outside the part

	part Part
	gray bool       // only the first component is wanted
	rows [4][]uint8 // one upsampled row a component
}

// Part says what of a picture to decode, and how small.
type Part struct {
	// Shrink is 1, 2, 4 or 8: the picture becomes as much smaller in both
	// directions, its size rounded up, as by libjpeg's scaled decoding, whose
	// pixels these are. It costs less than decoding the whole and resizing.
	Shrink int
	// X, Y, Width and Height are a rectangle of the shrunk picture. The pixels
	// in it are the same as if the whole were decoded.
	X, Y, Width, Height int
	// Gray asks for the luma of a colour picture alone. It is the Y of the file,
	// which clamping can move away from the luma of the RGB values. Pictures
	// that are not stored as luma and chroma ignore it.
	Gray bool
}

// component is one plane of the picture.
type component struct {
	id, h, v, table uint8
	// size is the side of a block's samples: 8, or less in a shrunk picture.
	size int
	// width and height count the samples that belong to the picture. wide and hi
	// count the blocks that are stored, whole MCUs, and stride is a row's samples.
	width, height, wide, hi, stride int
	samples                         []uint8
	// left, right, top and bottom bound the blocks that the part needs.
	left, right, top, bottom int
	// coefficients are kept in progressive files: 64 a block, in zigzag order.
	coefficients []int16
	predictor    int32
	scanned      bool
	dcTable      uint8
	acTable      uint8
}

// Markers (T.81, table B.1).
const (
	markSOF0  = 0xc0
	markSOF1  = 0xc1
	markSOF2  = 0xc2
	markDHT   = 0xc4
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP14 = 0xee
)

var errTruncated = errors.New("the file ends in the middle of the picture")

// Header reads as far as the picture's size.
func (d *Decoder) Header(data []byte) error { return d.parse(data, true) }

// Decode reads a whole file. Row then gives the picture.
func (d *Decoder) Decode(data []byte) error {
	d.part = Part{Shrink: 1, Width: maxSize, Height: maxSize}
	return d.parse(data, false)
}

// maxSize is the largest width and height that a file can state.
const maxSize = 1<<16 - 1

// DecodePart reads what a part needs. Row then gives the part. Of what lies
// below it only damage that hides the end of the file is noticed.
func (d *Decoder) DecodePart(data []byte, p Part) error {
	if p.Shrink != 1 && p.Shrink != 2 && p.Shrink != 4 && p.Shrink != 8 || p.X < 0 || p.Y < 0 || p.Width < 1 || p.Height < 1 {
		return fmt.Errorf("the part %+v of a picture; Shrink must be 1, 2, 4 or 8 and the rectangle not empty", p)
	}
	d.part = p
	return d.parse(data, false)
}

// Part is what was decoded last, within the picture.
func (d *Decoder) Part() Part { return d.part }

// parse goes through the segments of a file.
func (d *Decoder) parse(data []byte, headerOnly bool) error {
	d.reset(data)
	if len(data) < 4 || data[0] != 0xff || data[1] != markSOI {
		return errors.New("it does not begin with a JPEG marker")
	}
	d.data = data[2:]
	for {
		marker, err := d.nextMarker()
		if errors.Is(err, errTruncated) && d.complete() && !d.progressive {
			return nil // only the end marker is missing
		}
		if err != nil {
			return err
		}
		if marker == markEOI {
			break
		}
		if marker >= markRST0 && marker <= markRST7 || marker == 0x01 {
			continue // without a body, and out of place
		}
		body, err := d.segment(marker)
		if err != nil {
			return err
		}
		switch {
		case marker == markSOF0 || marker == markSOF1 || marker == markSOF2:
			if err = d.frame(marker, body, headerOnly); err == nil && headerOnly {
				return nil
			}
		case marker > markSOF2 && marker <= 0xcf && marker != markDHT && marker != 0xc8 && marker != 0xcc:
			return fmt.Errorf("it is %s; expected baseline or progressive JPEG with Huffman codes", foreign(marker))
		case marker == markDHT:
			err = d.huffmanTables(body)
		case marker == markDQT:
			err = d.quantTables(body)
		case marker == markDRI:
			if len(body) < 2 {
				return errors.New("damaged restart interval")
			}
			d.interval = int(body[0])<<8 | int(body[1])
		case marker == markAPP0:
			d.seen.jfif = d.seen.jfif || len(body) >= 5 && string(body[:5]) == "JFIF\x00"
		case marker == markAPP14:
			if len(body) >= 12 && string(body[:5]) == "Adobe" {
				d.seen.adobe, d.adobeTransform = true, body[11]
			}
		case marker == markSOS:
			err = d.scan(body)
		}
		if err != nil {
			return err
		}
	}
	if !d.complete() {
		return errors.New("it ends without the whole picture")
	}
	if d.progressive {
		d.transformAll()
	}
	return nil
}

// reset forgets the last file but not its memory.
func (d *Decoder) reset(data []byte) {
	d.Width, d.Height, d.Components = 0, 0, 0
	d.data = data
	d.seen.jfif, d.seen.adobe, d.seen.frame = false, false, false
	d.adobeTransform, d.progressive, d.interval, d.eobRun = 0, false, 0, 0
	d.gray = false
	d.block = [64]int32{} // a damaged file may have left something
	for i := range d.dc {
		d.dc[i].defined, d.ac[i].defined = false, false
		d.quant[i] = [64]int32{}
	}
}

// complete tells whether every component has been seen.
func (d *Decoder) complete() bool {
	for i := range d.Components {
		if !d.components[i].scanned {
			return false
		}
	}
	return d.seen.frame
}

// nextMarker finds the next marker. Like libjpeg it passes over stray bytes.
func (d *Decoder) nextMarker() (uint8, error) {
	for i := 0; i+1 < len(d.data); i++ {
		if d.data[i] == 0xff && d.data[i+1] != 0 && d.data[i+1] != 0xff {
			marker := d.data[i+1]
			d.data = d.data[i+2:]
			return marker, nil
		}
	}
	return 0, errTruncated
}

// segment takes the body of a segment.
func (d *Decoder) segment(marker uint8) ([]byte, error) {
	if len(d.data) < 2 {
		return nil, errTruncated
	}
	n := int(d.data[0])<<8 | int(d.data[1])
	if n < 2 {
		return nil, fmt.Errorf("damaged segment %#x of length %d", marker, n)
	}
	if n > len(d.data) {
		return nil, errTruncated
	}
	body := d.data[2:n]
	d.data = d.data[n:]
	return body, nil
}

// foreign names the processes that are not decoded.
func foreign(marker uint8) string {
	switch {
	case marker == 0xc3 || marker == 0xc7 || marker == 0xcb || marker == 0xcf:
		return "lossless JPEG"
	case marker >= 0xc9:
		return "JPEG with arithmetic codes"
	}
	return "hierarchical JPEG"
}

func (d *Decoder) quantTables(body []byte) error {
	for len(body) > 0 {
		wide, id := int(body[0]>>4), body[0]&15
		n := 64 * (wide + 1)
		if wide > 1 || id > 3 || len(body) < 1+n {
			return errors.New("damaged quantisation table")
		}
		for k := range 64 {
			if wide == 1 {
				d.quant[id][k] = int32(body[1+2*k])<<8 | int32(body[2+2*k])
			} else {
				d.quant[id][k] = int32(body[1+k])
			}
		}
		body = body[1+n:]
	}
	return nil
}

// frame reads the picture's size and components, and makes room for them.
func (d *Decoder) frame(marker uint8, body []byte, headerOnly bool) error {
	if d.seen.frame {
		return errors.New("it has two frame headers")
	}
	d.seen.frame = true
	d.progressive = marker == markSOF2
	if len(body) < 6 {
		return errors.New("damaged frame header")
	}
	if body[0] != 8 {
		return fmt.Errorf("it has %d bits a value; expected 8", body[0])
	}
	d.Height, d.Width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
	d.Components = int(body[5])
	if d.Components != 1 && d.Components != 3 && d.Components != 4 {
		return fmt.Errorf("it has %d colour components; expected 1, 3 or 4", d.Components)
	}
	if d.Width == 0 || d.Height == 0 {
		return fmt.Errorf("its size is %dx%d", d.Width, d.Height)
	}
	if len(body) < 6+3*d.Components {
		return errors.New("damaged frame header")
	}
	d.maxH, d.maxV = 1, 1
	for i := range d.Components {
		c, spec := &d.components[i], body[6+3*i:]
		c.scanned = false
		c.id, c.h, c.v, c.table = spec[0], spec[1]>>4, spec[1]&15, spec[2]
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return errors.New("damaged frame header")
		}
		d.maxH, d.maxV = max(d.maxH, int(c.h)), max(d.maxV, int(c.v))
	}
	if headerOnly {
		return nil
	}
	d.mcusWide = (d.Width + 8*d.maxH - 1) / (8 * d.maxH)
	d.mcusHi = (d.Height + 8*d.maxV - 1) / (8 * d.maxV)
	blocks := 0
	for i := range d.Components {
		c := &d.components[i]
		if d.maxH%int(c.h) != 0 || d.maxV%int(c.v) != 0 {
			return fmt.Errorf("its components are sampled %d:%d and %d:%d; only whole ratios can be decoded", d.maxH, c.h, d.maxV, c.v)
		}
		c.wide, c.hi = d.mcusWide*int(c.h), d.mcusHi*int(c.v)
		blocks += c.wide * c.hi
	}
	// Every block takes a bit at the least: a short file cannot ask for much memory.
	if blocks/8 > len(d.data) {
		return errTruncated
	}
	return d.layOut()
}

// layOut fits the part to the picture and makes room for what it needs.
func (d *Decoder) layOut() error {
	p := &d.part
	width, height := shrunk(d.Width, p.Shrink), shrunk(d.Height, p.Shrink)
	p.Width, p.Height = min(p.Width, width-p.X), min(p.Height, height-p.Y)
	if p.Width < 1 || p.Height < 1 {
		return fmt.Errorf("a part from (%d, %d) on lies outside the picture of %dx%d", p.X, p.Y, width, height)
	}
	for i := range d.Components {
		c := &d.components[i]
		c.size = 8 / p.Shrink
		for c.size < 8 && d.expandH(c)%2 == 0 && d.expandV(c)%2 == 0 {
			c.size *= 2 // as in libjpeg, instead of doubling the samples later
		}
		c.width = (d.Width*int(c.h)*c.size + 8*d.maxH - 1) / (8 * d.maxH)
		c.height = (d.Height*int(c.v)*c.size + 8*d.maxV - 1) / (8 * d.maxV)
		c.stride = c.wide * c.size
		c.left, c.right = span(p.X, p.Width, d.expandH(c), c.width, c.size)
		c.top, c.bottom = span(p.Y, p.Height, d.expandV(c), c.height, c.size)
		c.samples = grow(c.samples, c.stride*c.hi*c.size)
		if d.progressive {
			c.coefficients = grow(c.coefficients, c.wide*c.hi*64)
			clear(c.coefficients)
		}
		d.rows[i] = grow(d.rows[i], c.stride*d.expandH(c))
	}
	return nil
}

// shrunk is a size in a picture that is n times smaller.
func shrunk(size, n int) int { return (size + n - 1) / n }

// expandH and expandV are how many of the output's pixels a sample stands for.
func (d *Decoder) expandH(c *component) int { return 8 / d.part.Shrink * d.maxH / (int(c.h) * c.size) }
func (d *Decoder) expandV(c *component) int { return 8 / d.part.Shrink * d.maxV / (int(c.v) * c.size) }

// span is the range of blocks that n pixels from first on need: upsampling looks
// one sample to each side.
func span(first, n, expand, samples, size int) (from, to int) {
	low, high := first/expand, (first+n-1)/expand+1
	if expand > 1 {
		low, high = max(low-1, 0), min(high+1, samples)
	}
	return low / size, (high + size - 1) / size
}

// needs tells whether the part needs block (x, y).
func (c *component) needs(x, y int) bool {
	return x >= c.left && x < c.right && y >= c.top && y < c.bottom
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
