package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds the text arguments of the old opcodes.
const maxLine = 1 << 16

// Reader reads pickles that lie one after another in a file of known size.
type Reader struct {
	buf  *bufio.Reader
	pos  int64
	size int64
}

// NewReader starts at byte 0 of a file of size bytes.
func NewReader(r io.ReaderAt, size int64) *Reader {
	return &Reader{bufio.NewReader(io.NewSectionReader(r, 0, size)), 0, size}
}

// Pos is the number of bytes that were read.
func (r *Reader) Pos() int64 { return r.pos }

var errEnds = errors.New("the file ends in the middle of its pickle")

func (r *Reader) byte() (byte, error) {
	b, err := r.buf.ReadByte()
	if err == io.EOF {
		err = errEnds
	}
	if err == nil {
		r.pos++
	}
	return b, err
}

// has makes sure that the file still has n bytes.
func (r *Reader) has(n uint64) error {
	if left := uint64(r.size - r.pos); n > left {
		return fmt.Errorf("a value claims %d bytes and the file has %d left", n, left)
	}
	return nil
}

// bytes reads n bytes if the file still has them.
func (r *Reader) bytes(n uint64) ([]byte, error) {
	if err := r.has(n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	k, err := io.ReadFull(r.buf, b)
	r.pos += int64(k)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errEnds
	}
	return b, err
}

// uint reads a little-endian number of n bytes.
func (r *Reader) uint(n int) (uint64, error) {
	v := uint64(0)
	for i := range n {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// line reads up to the next newline, which it drops.
func (r *Reader) line() (string, error) {
	var s []byte
	for {
		b, err := r.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return string(s), nil
		}
		if len(s) == maxLine {
			return "", fmt.Errorf("a line of text is longer than %d bytes", maxLine)
		}
		s = append(s, b)
	}
}
