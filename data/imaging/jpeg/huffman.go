package jpeg

import (
	"encoding/binary"
	"errors"
)

// lookBits is the length of the codes that one look into a table decodes.
const lookBits = 10

// huffman is a code table (T.81, annex C and F.2.2.3).
type huffman struct {
	defined bool
	// look maps the next lookBits bits to length<<8 | symbol; 0 for longer codes.
	look [1 << lookBits]uint16
	// coefficient maps them to a whole AC coefficient, where its code and its
	// value both fit: value<<16 | run<<8 | length of both; 0 where they do not.
	coefficient [1 << lookBits]int32
	// For longer codes of length n: below[n] is one more than the largest,
	// shifted to 16 bits, and offset[n] leads from a code to its symbol.
	below   [18]int32
	offset  [17]int32
	symbols [256]uint8
}

func (d *Decoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		class, id := body[0]>>4, body[0]&15
		if class > 1 || id > 3 || len(body) < 17 {
			return errors.New("damaged Huffman table")
		}
		table := &d.dc[id]
		if class == 1 {
			table = &d.ac[id]
		}
		n, err := table.define(body[1:], class == 1)
		if err != nil {
			return err
		}
		body = body[1+n:]
	}
	return nil
}

// define builds the table from the counts of codes of 1 to 16 bits and their
// symbols, and returns how many bytes those are.
func (h *huffman) define(body []byte, ac bool) (int, error) {
	total := 0
	for _, count := range body[:16] {
		total += int(count)
	}
	if total > 256 || len(body) < 16+total {
		return 0, errors.New("damaged Huffman table")
	}
	h.defined = true
	clear(h.look[:])
	copy(h.symbols[:], body[16:16+total])
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		count := int32(body[length-1])
		h.offset[length] = at - code
		if code+count > 1<<length {
			return 0, errors.New("damaged Huffman table")
		}
		if length <= lookBits {
			for i := range count {
				first := (code + i) << (lookBits - length)
				for j := range int32(1) << (lookBits - length) {
					h.look[first+j] = uint16(length)<<8 | uint16(h.symbols[at+i])
				}
			}
		}
		code += count
		at += count
		h.below[length] = code << (16 - length)
		code <<= 1
	}
	h.below[17] = 1 << 16
	if ac {
		h.fuse()
	}
	return 16 + total, nil
}

// fuse fills coefficient.
func (h *huffman) fuse() {
	for i, entry := range h.look {
		h.coefficient[i] = 0
		length, symbol := int(entry>>8), uint8(entry)
		run, size := int32(symbol>>4), int(symbol&15)
		if length == 0 || size == 0 || length+size > lookBits {
			continue
		}
		value := extend(int32(i>>(lookBits-length-size))&(1<<size-1), size)
		h.coefficient[i] = value<<16 | run<<8 | int32(length+size)
	}
}

// extend turns the additional bits of a value into the value (T.81, F.2.2.1).
func extend(v int32, size int) int32 {
	if v < 1<<size>>1 {
		v += -1<<size + 1
	}
	return v
}

// bitReader reads entropy-coded data. Where a marker ends the data early it goes
// on with zeros, as libjpeg does; where the file ends early, exhausted tells.
type bitReader struct {
	data []byte
	pos  int
	acc  uint64 // the low count bits are next
	// count is at least 32 after fill.
	count  int
	padded int // bits in acc that were made up
}

func (b *bitReader) start(data []byte) { *b = bitReader{data: data} }

// fill makes at least 32 bits available.
func (b *bitReader) fill() {
	if b.count >= 32 {
		return
	}
	if b.pos+4 <= len(b.data) {
		// Four bytes at once where none of them is 0xff.
		if w := binary.BigEndian.Uint32(b.data[b.pos:]); (^w-0x01010101)&w&0x80808080 == 0 {
			b.acc = b.acc<<32 | uint64(w)
			b.count += 32
			b.pos += 4
			return
		}
	}
	b.fillSlow()
}

func (b *bitReader) fillSlow() {
	for b.count <= 56 {
		var next uint8
		switch {
		case b.pos >= len(b.data):
			b.padded += 8
		case b.data[b.pos] != 0xff:
			next = b.data[b.pos]
			b.pos++
		case b.pos+1 < len(b.data) && b.data[b.pos+1] == 0:
			next = 0xff
			b.pos += 2
		default: // a marker
			if b.pos+1 >= len(b.data) {
				b.pos++
				b.padded += 8
			}
		}
		b.acc = b.acc<<8 | uint64(next)
		b.count += 8
	}
}

// exhausted tells whether bits were taken that the file does not have.
func (b *bitReader) exhausted() bool { return b.padded > b.count }

// take returns the next n bits, n up to 16. They must be filled.
func (b *bitReader) take(n int) int32 {
	b.count -= n
	return int32(b.acc>>b.count) & (1<<n - 1)
}

// bit returns the next bit, filling first.
func (b *bitReader) bit() bool {
	b.fill()
	return b.take(1) != 0
}

var errCode = errors.New("damaged data: no such Huffman code")

// symbol decodes the next symbol. 16 bits must be filled.
func (b *bitReader) symbol(h *huffman) (uint8, error) {
	if entry := h.look[b.acc>>(b.count-lookBits)&(1<<lookBits-1)]; entry != 0 {
		b.count -= int(entry >> 8)
		return uint8(entry), nil
	}
	next := int32(b.acc>>(b.count-16)) & 0xffff
	length := lookBits + 1
	for next >= h.below[length] {
		length++
	}
	if length > 16 {
		return 0, errCode
	}
	b.count -= length
	return h.symbols[uint8(next>>(16-length)+h.offset[length])], nil
}

// restart drops the bits before a restart marker and steps over it.
func (b *bitReader) restart(number int) error {
	b.acc, b.count = 0, 0
	for ; b.pos+1 < len(b.data); b.pos++ {
		if b.data[b.pos] != 0xff || b.data[b.pos+1] == 0 || b.data[b.pos+1] == 0xff {
			continue
		}
		if b.data[b.pos+1] != uint8(markRST0+number) {
			return errors.New("damaged data: a restart marker is missing")
		}
		b.pos += 2
		return nil
	}
	return errTruncated
}
