package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/seed52467199/trainer/data/imaging/pixel"
)

// zigzag is the place in a block, row by row, of each coefficient of the file's
// order (T.81, figure 5). It is longer than a block, so that a damaged file
// cannot lead out of it, and a power of two, so that the compiler knows.
var zigzag = func() (z [128]uint8) {
	copy(z[:], []uint8{
		0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
		12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
		35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
		58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63})
	for i := 64; i < len(z); i++ {
		z[i] = 63
	}
	return z
}()

// pass is one scan of a file: which components and which of their coefficients
// and bits it brings.
type pass struct {
	components  [4]*component
	n           int
	first, last int  // spectral selection, in zigzag order
	high, low   uint // successive approximation
	wide, hi    int  // blocks or MCUs
}

var errScan = errors.New("damaged scan header")

// scan decodes the scan whose header is body, and leaves d.data behind it.
func (d *Decoder) scan(body []byte) error {
	if !d.seen.frame {
		return errors.New("it has a scan before the frame header")
	}
	p, err := d.scanHeader(body)
	if err != nil {
		return err
	}
	if d.part.Gray && d.Components == 3 && !d.isRGB() {
		d.gray = true
		for i := 1; i < 3; i++ {
			d.components[i].bottom = 0 // nothing of it is needed
		}
	}
	for i := range p.n {
		p.components[i].predictor = 0
	}
	d.eobRun = 0
	d.bits.start(d.data)
	// Below the part there is nothing to see, if the file has its end.
	rows := p.hi
	if last := d.lastRow(&p); last < rows && d.ended() {
		rows = last
	}
	left, restarts := d.interval, 0
	for y := range rows {
		for x := range p.wide {
			if d.interval > 0 {
				if left == 0 {
					if err := d.bits.restart(restarts & 7); err != nil {
						return err
					}
					restarts++
					left = d.interval
					d.eobRun = 0
					for i := range p.n {
						p.components[i].predictor = 0
					}
				}
				left--
			}
			if err := d.unit(&p, x, y); err != nil {
				return err
			}
		}
		if d.bits.exhausted() {
			return errTruncated
		}
	}
	d.data = d.bits.data[d.bits.end:]
	for i := range p.n {
		p.components[i].scanned = true
	}
	return nil
}

// lastRow is the number of rows of the pass that the part needs.
func (d *Decoder) lastRow(p *pass) int {
	if d.progressive {
		return p.hi
	}
	last := 0
	for i := range p.n {
		c, v := p.components[i], 1
		if p.n > 1 {
			v = int(c.v)
		}
		last = max(last, (c.bottom+v-1)/v)
	}
	return last
}

// ended tells whether the rest of the file has an end marker: it is whole.
func (d *Decoder) ended() bool {
	return bytes.LastIndex(d.data, []byte{0xff, markEOI}) >= 0
}

// scanHeader checks what the scan asks for against the frame and the tables.
func (d *Decoder) scanHeader(body []byte) (p pass, err error) {
	if len(body) < 1 || body[0] < 1 || int(body[0]) > d.Components || len(body) < 4+2*int(body[0]) {
		return p, errScan
	}
	p.n = int(body[0])
	tail := body[1+2*p.n:]
	p.first, p.last, p.high, p.low = int(tail[0]), int(tail[1]), uint(tail[2]>>4), uint(tail[2]&15)
	if !d.progressive {
		p.first, p.last, p.high, p.low = 0, 63, 0, 0
	}
	if p.first > p.last || p.last > 63 || p.low > 13 || p.high > 14 || p.first == 0 && p.last > 0 && d.progressive || p.first > 0 && p.n > 1 {
		return p, errScan
	}
	for i := range p.n {
		id, tables := body[1+2*i], body[2+2*i]
		for j := range d.Components {
			if d.components[j].id == id {
				p.components[i] = &d.components[j]
			}
		}
		c := p.components[i]
		if c == nil || tables>>4 > 3 || tables&15 > 3 {
			return p, errScan
		}
		for j := range i {
			if p.components[j] == c {
				return p, errScan
			}
		}
		c.dcTable, c.acTable = tables>>4, tables&15
		if p.first == 0 && p.high == 0 && !d.dc[c.dcTable].defined || p.last > 0 && !d.ac[c.acTable].defined {
			return p, errors.New("damaged file: a scan without its Huffman table")
		}
		if d.quant[c.table][0] == 0 {
			return p, errors.New("damaged file: a scan without its quantisation table")
		}
	}
	p.wide, p.hi = d.mcusWide, d.mcusHi
	if p.n == 1 { // not interleaved: the blocks that hold picture
		c := p.components[0]
		p.wide, p.hi = (c.width+c.size-1)/c.size, (c.height+c.size-1)/c.size
	}
	return p, nil
}

// unit decodes one MCU, or one block where the scan has one component.
func (d *Decoder) unit(p *pass, x, y int) error {
	if p.n == 1 {
		return d.decodeBlock(p, p.components[0], x, y)
	}
	for i := range p.n {
		c := p.components[i]
		for v := range int(c.v) {
			for h := range int(c.h) {
				if err := d.decodeBlock(p, c, x*int(c.h)+h, y*int(c.v)+v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// decodeBlock decodes block (x, y) of a component: to samples in a sequential
// file, to coefficients in a progressive one.
func (d *Decoder) decodeBlock(p *pass, c *component, x, y int) error {
	if d.progressive {
		at := (y*c.wide + x) * 64
		block := (*[64]int16)(c.coefficients[at : at+64])
		switch {
		case p.first == 0 && p.high == 0:
			return d.dcFirst(p, c, block)
		case p.first == 0:
			if d.bits.bit() {
				block[0] |= 1 << p.low
			}
			return nil
		case p.high == 0:
			return d.acFirst(p, c, block)
		}
		return d.acRefine(p, c, block)
	}
	// Blocks outside the part are passed over: their coefficients go to a block
	// that nobody looks at.
	if !c.needs(x, y) {
		_, err := d.sequential(c, &d.spare)
		return err
	}
	last, err := d.sequential(c, &d.block)
	if err != nil {
		return err
	}
	c.transform(x, y, &d.block, last)
	return nil
}

// difference decodes a DC difference.
func (d *Decoder) difference(c *component) (int32, error) {
	b := &d.bits
	b.fill()
	size, err := b.symbol(&d.dc[c.dcTable])
	if err != nil {
		return 0, err
	}
	if size > 15 {
		return 0, errCode
	}
	return extend(b.take(int(size)), int(size)), nil
}

// sequential decodes a block, dequantised and row by row, and returns the zigzag
// number of its last coefficient that is not 0, or more. The block is zero before.
func (d *Decoder) sequential(c *component, block *[64]int32) (last int, err error) {
	b, quant := &d.bits, &d.quant[c.table]
	b.fill()
	if f := d.dc[c.dcTable].coefficient[b.acc>>(64-lookBits)]; f != 0 {
		b.acc <<= uint(f&15) & 63
		b.count -= int(f & 15)
		c.predictor += f >> 16
	} else {
		diff, err := d.difference(c)
		if err != nil {
			return 0, err
		}
		c.predictor += diff
	}
	block[0] = c.predictor * quant[0]

	// The reader's state in registers: this loop is most of the time of a file.
	acc, count := b.acc, b.count
	clean := b.clean[min(b.pos, len(b.clean)):]
	table := &d.ac[c.acTable]
	coefficient := &table.coefficient
	k := 1
	for ; k < 64; k++ {
		if count < 32 {
			skip := (63 - count) >> 3
			if len(clean) >= tailBytes {
				acc |= binary.BigEndian.Uint64(clean) >> uint(count&63)
				clean = clean[skip&7:]
			} else {
				b.beyond += skip
			}
			count |= 56
		}
		if f := coefficient[acc>>(64-lookBits)]; f != 0 {
			k += int(f >> 8 & 15)
			count -= int(f & 15)
			acc <<= uint(f & 15)
			block[zigzag[k&127]&63] = (f >> 16) * quant[k&63]
			continue
		}
		var symbol uint8
		var length int
		if entry := table.look[acc>>(64-lookBits)]; entry != 0 {
			symbol, length = uint8(entry), int(entry>>8)
		} else if symbol, length = table.long(acc); length > 16 {
			return 0, errCode
		}
		acc <<= uint(length) & 63
		count -= length
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run < 15 {
				break
			}
			k = min(k+15, 63)
			continue
		}
		k += run
		v := int32(acc >> uint((64-size)&63))
		acc <<= uint(size)
		count -= size
		block[zigzag[k&127]&63] = extend(v, size) * quant[k&63]
	}
	b.acc, b.count, b.pos = acc, count, len(b.clean)-len(clean)
	if k > 64 {
		return 0, errors.New("damaged data: a block has more than 64 coefficients")
	}
	return k - 1, nil
}

// dcFirst decodes the first bits of a DC coefficient (T.81, G.1.2.1).
func (d *Decoder) dcFirst(p *pass, c *component, block *[64]int16) error {
	diff, err := d.difference(c)
	if err != nil {
		return err
	}
	c.predictor += diff
	block[0] = int16(c.predictor << p.low)
	return nil
}

// acFirst decodes the first bits of AC coefficients (T.81, G.1.2.2).
func (d *Decoder) acFirst(p *pass, c *component, block *[64]int16) error {
	if d.eobRun > 0 {
		d.eobRun--
		return nil
	}
	b, table := &d.bits, &d.ac[c.acTable]
	for k := p.first; k <= p.last; k++ {
		b.fill()
		symbol, err := b.symbol(table)
		if err != nil {
			return err
		}
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run < 15 {
				d.eobRun = 1<<run - 1 + int(b.take(run))
				return nil
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return errors.New("damaged data: a block has more than 64 coefficients")
		}
		block[k] = int16(extend(b.take(size), size) << p.low)
	}
	return nil
}

// acRefine adds a bit to AC coefficients (T.81, G.1.2.3): to those that are not
// 0 as they are passed, and to new ones among the zeros.
func (d *Decoder) acRefine(p *pass, c *component, block *[64]int16) error {
	b, table := &d.bits, &d.ac[c.acTable]
	k := p.first
	if d.eobRun == 0 {
		for ; k <= p.last; k++ {
			b.fill()
			symbol, err := b.symbol(table)
			if err != nil {
				return err
			}
			run, size := int(symbol>>4), int(symbol&15)
			var value int16
			switch {
			case size == 0 && run < 15:
				d.eobRun = 1<<run + int(b.take(run))
			case size > 1:
				return errCode
			case size == 1:
				if value = -1 << p.low; b.take(1) != 0 {
					value = 1 << p.low
				}
			}
			if d.eobRun > 0 {
				break
			}
			if k = d.refine(block, k, p.last, run, p.low); k > p.last {
				if value != 0 {
					return errors.New("damaged data: a block has more than 64 coefficients")
				}
				break
			}
			block[k] = value
		}
	}
	if d.eobRun > 0 {
		d.eobRun--
		d.refine(block, k, p.last, -1, p.low)
	}
	return nil
}

// refine reads a bit for each coefficient from k to last that is not 0, until it
// has passed zeros of them and stands on one more, whose place it returns.
// Negative zeros: to the end.
func (d *Decoder) refine(block *[64]int16, k, last, zeros int, low uint) int {
	for ; k <= last; k++ {
		if block[k] == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if !d.bits.bit() || block[k]&(1<<low) != 0 {
			continue
		}
		if block[k] > 0 {
			block[k] += 1 << low
		} else {
			block[k] -= 1 << low
		}
	}
	return k
}

// transformAll turns the coefficients of a progressive file into samples.
func (d *Decoder) transformAll() {
	for i := range d.Components {
		c := &d.components[i]
		quant := &d.quant[c.table]
		for y := c.top; y < c.bottom; y++ {
			for x := c.left; x < c.right; x++ {
				at := (y*c.wide + x) * 64
				last := 0
				for k, v := range c.coefficients[at : at+64] {
					if v != 0 {
						d.block[zigzag[k]] = int32(v) * quant[k]
						last = k
					}
				}
				c.transform(x, y, &d.block, last)
			}
		}
	}
}

// transform makes block (x, y) of the component's samples, and leaves the
// coefficients zero. last is the zigzag number of the last that is not.
func (c *component) transform(x, y int, block *[64]int32, last int) {
	dst := c.samples[y*c.size*c.stride+x*c.size:]
	switch {
	case last == 0 || c.size == 1:
		v := level((block[0] + 4) >> 3)
		for i := range c.size {
			row := dst[i*c.stride:][:c.size]
			for x := range row {
				row[x] = v
			}
		}
		if block[0] = 0; last > 0 {
			*block = [64]int32{}
		}
	case c.size == 8:
		pixel.IDCT(dst, c.stride, block)
	case c.size == 4:
		shrink4(dst, c.stride, block)
	default:
		shrink2(dst, c.stride, block)
	}
}
