package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// npyArray is an array of integers in a .npy file, in C order.
type npyArray struct {
	shape []int
	// size is the number of bytes of an element, and signed its kind.
	size   int
	signed bool
	body   []byte
	order  binary.ByteOrder
}

var (
	npyDescr   = regexp.MustCompile(`'descr':\s*'([<>|=]?)([a-zA-Z])(\d+)'`)
	npyFortran = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape':\s*\(([0-9, ]*)\)`)
)

// readNPY reads an array of at most limit bytes (NumPy enhancement proposal 1,
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
func readNPY(r io.Reader, limit int64) (*npyArray, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return nil, cut(err)
	}
	if string(start[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("it begins with % x; an array begins with \\x93NUMPY", start[:6])
	}
	wide := 2 // bytes of the header's length
	if start[6] >= 2 {
		wide = 4
	}
	var length [4]byte
	if _, err := io.ReadFull(r, length[:wide]); err != nil {
		return nil, cut(err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > 1<<16 {
		return nil, fmt.Errorf("a header of %d bytes; expected some hundred", n)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, cut(err)
	}
	a, err := parseNPYHeader(header)
	if err != nil {
		return nil, err
	}
	want := int64(a.size)
	for _, d := range a.shape {
		// Dividing keeps the product from overflowing.
		if d > 0 && want > limit/int64(d) {
			return nil, fmt.Errorf("its shape %v needs more than the %d bytes that the file has", a.shape, limit)
		}
		want *= int64(d)
	}
	a.body = make([]byte, want)
	if _, err := io.ReadFull(r, a.body); err != nil {
		return nil, cut(err)
	}
	return a, nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the array is cut short")
	}
	return err
}

func parseNPYHeader(header []byte) (*npyArray, error) {
	text := bytes.TrimSpace(header)
	descr, fortran, shape := npyDescr.FindSubmatch(text), npyFortran.FindSubmatch(text), npyShape.FindSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return nil, fmt.Errorf("its header is %.80q; expected a plain array's descr, fortran_order and shape", text)
	}
	a := &npyArray{order: binary.LittleEndian, signed: string(descr[2]) == "i"}
	if string(descr[1]) == ">" {
		a.order = binary.BigEndian
	}
	a.size, _ = strconv.Atoi(string(descr[3]))
	kind := string(descr[2])
	if kind != "i" && kind != "u" && kind != "b" || a.size != 1 && a.size != 2 && a.size != 4 && a.size != 8 {
		return nil, fmt.Errorf("its elements are of type %s%s; expected integers such as u1 or i8", kind, descr[3])
	}
	for _, field := range strings.Split(string(shape[1]), ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		d, err := strconv.ParseUint(field, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("its shape is (%s)", shape[1])
		}
		a.shape = append(a.shape, int(d))
	}
	if string(fortran[1]) == "True" && len(a.shape) > 1 {
		return nil, errors.New("it is stored in Fortran order; save it with np.ascontiguousarray")
	}
	return a, nil
}

// at is element i in storage order.
func (a *npyArray) at(i int) int64 {
	b := a.body[i*a.size : (i+1)*a.size]
	var v uint64
	switch a.size {
	case 1:
		v = uint64(b[0])
	case 2:
		v = uint64(a.order.Uint16(b))
	case 4:
		v = uint64(a.order.Uint32(b))
	case 8:
		v = a.order.Uint64(b)
	}
	if a.signed {
		shift := 64 - 8*a.size
		return int64(v<<shift) >> shift
	}
	return int64(v)
}
