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
	block  [64]int32

	rows [4][]uint8 // one upsampled row a component
}

// component is one plane of the picture.
type component struct {
	id, h, v, table uint8
	// width and height count the samples that belong to the picture, and stride
	// and rows those that are stored: whole MCUs.
	width, height, stride, rows int
	samples                     []uint8
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
func (d *Decoder) Decode(data []byte) error { return d.parse(data, false) }

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
		c.width = (d.Width*int(c.h) + d.maxH - 1) / d.maxH
		c.height = (d.Height*int(c.v) + d.maxV - 1) / d.maxV
		c.stride, c.rows = d.mcusWide*int(c.h)*8, d.mcusHi*int(c.v)*8
		blocks += c.stride / 8 * c.rows / 8
	}
	// Every block takes a bit at the least: a short file cannot ask for much memory.
	if blocks/8 > len(d.data) {
		return errTruncated
	}
	for i := range d.Components {
		c := &d.components[i]
		c.samples = grow(c.samples, c.stride*c.rows)
		if d.progressive {
			c.coefficients = grow(c.coefficients, c.stride*c.rows)
			clear(c.coefficients)
		}
		d.rows[i] = grow(d.rows[i], c.stride*(d.maxH/int(c.h)))
	}
	return nil
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
