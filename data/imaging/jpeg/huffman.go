package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// lookBits is the length of the codes that one look into a table decodes.
const lookBits = 10

// huffman is a code table (T.81, annex C and F.2.2.3).
type huffman struct {
	defined bool
	// spec[:made] is what the tables were made of. Files of one origin share it,
	// and then they need not be made again.
	spec [16 + 256]uint8
	made int
	// look maps the next lookBits bits to length<<8 | symbol; 0 for longer codes.
	look [1 << lookBits]uint16
	// coefficient maps them to a whole coefficient, where its code and its value
	// both fit: value<<16 | run<<8 | length of both; 0 where they do not, and for
	// AC symbols without a value.
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
	if body = body[:16+total]; !bytes.Equal(h.spec[:h.made], body) {
		h.made = 0
		if err := h.build(body, ac); err != nil {
			return 0, err
		}
		h.made = copy(h.spec[:], body)
	}
	h.defined = true
	return 16 + total, nil
}

// build fills the tables.
func (h *huffman) build(body []byte, ac bool) error {
	clear(h.look[:])
	copy(h.symbols[:], body[16:])
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		count := int32(body[length-1])
		h.offset[length] = at - code
		if code+count > 1<<length {
			return errors.New("damaged Huffman table")
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
	h.fuse(ac)
	return nil
}

// fuse fills coefficient.
func (h *huffman) fuse(ac bool) {
	for i, entry := range h.look {
		h.coefficient[i] = 0
		length, symbol := int(entry>>8), uint8(entry)
		run, size := int32(symbol>>4), int(symbol&15)
		if length == 0 || ac && size == 0 || !ac && run > 0 || length+size > lookBits {
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

// bitReader reads entropy-coded data, one segment after another: up to a marker
// or the end of the file. Behind a marker it goes on with zeros, as libjpeg does;
// behind the end of the file too, and exhausted tells.
type bitReader struct {
	data []byte // of the file, from the segment on
	end  int    // where in data the segment ends
	cut  bool   // the file ends there, without a marker
	// clean is the segment without the bytes that are stuffed in behind each 0xff,
	// and tailBytes zeros.
	clean []byte
	pos   int // of the next byte of clean
	// beyond is how many bytes were made up behind the end of clean.
	beyond int
	acc    uint64 // the next bits, from the top
	count  int    // how many of them are counted; at least 32 after fill
}

// tailBytes is how much fill reads at once.
const tailBytes = 8

// start begins with the segment that data begins with.
func (b *bitReader) start(data []byte) {
	b.data = data
	b.pos, b.beyond, b.acc, b.count = 0, 0, 0, 0
	out := b.clean[:0]
	at := 0
	for {
		n := bytes.IndexByte(data[at:], 0xff)
		if n < 0 || at+n+1 >= len(data) {
			b.end, b.cut = len(data), true
			if n >= 0 {
				data = data[:at+n]
			}
			out = append(out, data[at:]...)
			break
		}
		n += at
		if data[n+1] != 0 {
			out = append(out, data[at:n]...)
			b.end, b.cut = n, false
			break
		}
		out = append(out, data[at:n+1]...)
		at = n + 2
	}
	b.clean = append(out, make([]byte, tailBytes)...)
}

// fill makes at least 32 bits available.
func (b *bitReader) fill() {
	if b.count >= 32 {
		return
	}
	skip := (63 - b.count) >> 3
	if b.pos+tailBytes <= len(b.clean) {
		b.acc |= binary.BigEndian.Uint64(b.clean[b.pos:]) >> (b.count & 63)
		b.pos += skip
	} else {
		b.beyond += skip
	}
	b.count |= 56
}

// exhausted tells whether bits were taken that the file does not have.
func (b *bitReader) exhausted() bool {
	return b.cut && 8*(b.pos+b.beyond)-b.count > 8*(len(b.clean)-tailBytes)
}

// take returns the next n bits, n up to 16. They must be filled.
func (b *bitReader) take(n int) int32 {
	v := int32(b.acc >> 1 >> (63 - n))
	b.acc <<= n
	b.count -= n
	return v
}

// bit returns the next bit, filling first.
func (b *bitReader) bit() bool {
	b.fill()
	return b.take(1) != 0
}

var errCode = errors.New("damaged data: no such Huffman code")

// symbol decodes the next symbol. 16 bits must be filled.
func (b *bitReader) symbol(h *huffman) (uint8, error) {
	if entry := h.look[b.acc>>(64-lookBits)]; entry != 0 {
		b.take(int(entry >> 8))
		return uint8(entry), nil
	}
	symbol, length := h.long(b.acc)
	if length > 16 {
		return 0, errCode
	}
	b.take(length)
	return symbol, nil
}

// long finds the code longer than lookBits that acc begins with. A length above
// 16 says that there is none.
func (h *huffman) long(acc uint64) (symbol uint8, length int) {
	next := int32(acc >> 48)
	length = lookBits + 1
	for next >= h.below[length] {
		length++
	}
	if length > 16 {
		return 0, length
	}
	return h.symbols[uint8(next>>(16-length)+h.offset[length])], length
}

// restart drops the bits before a restart marker and begins the segment behind it.
func (b *bitReader) restart(number int) error {
	rest := b.data[b.end:]
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] != 0xff || rest[i+1] == 0 || rest[i+1] == 0xff {
			continue
		}
		if rest[i+1] != uint8(markRST0+number) {
			return errors.New("damaged data: a restart marker is missing")
		}
		b.start(rest[i+2:])
		return nil
	}
	return errTruncated
}
