package pickle

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Opcodes, named as in pickletools.py.
const (
	opMark           = '('
	opStop           = '.'
	opPop            = '0'
	opPopMark        = '1'
	opDup            = '2'
	opFloat          = 'F'
	opInt            = 'I'
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opLong           = 'L'
	opBinInt2        = 'M'
	opNone           = 'N'
	opPersID         = 'P'
	opBinPersID      = 'Q'
	opReduce         = 'R'
	opString         = 'S'
	opBinString      = 'T'
	opShortBinString = 'U'
	opUnicode        = 'V'
	opBinUnicode     = 'X'
	opAppend         = 'a'
	opBuild          = 'b'
	opGlobal         = 'c'
	opDict           = 'd'
	opEmptyDict      = '}'
	opAppends        = 'e'
	opGet            = 'g'
	opBinGet         = 'h'
	opInst           = 'i'
	opLongBinGet     = 'j'
	opList           = 'l'
	opEmptyList      = ']'
	opObj            = 'o'
	opPut            = 'p'
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opSetItem        = 's'
	opTuple          = 't'
	opEmptyTuple     = ')'
	opSetItems       = 'u'
	opBinFloat       = 'G'

	opProto    = 0x80 // protocol 2
	opNewObj   = 0x81
	opExt1     = 0x82
	opExt2     = 0x83
	opExt4     = 0x84
	opTuple1   = 0x85
	opTuple2   = 0x86
	opTuple3   = 0x87
	opNewTrue  = 0x88
	opNewFalse = 0x89
	opLong1    = 0x8a
	opLong4    = 0x8b

	opBinBytes      = 'B' // protocol 3
	opShortBinBytes = 'C'

	opShortBinUnicode = 0x8c // protocol 4
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95

	opByteArray8 = 0x96 // protocol 5
)

// step runs one instruction other than STOP.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		v, err := m.r.byte()
		if err == nil && v > 5 {
			err = fmt.Errorf("protocol %d is unknown; 5 is the newest", v)
		}
		return err
	case opFrame:
		_, err := m.r.uint(8) // a hint for buffering
		return err

	case opNone:
		return m.push(nil)
	case opNewTrue:
		return m.push(true)
	case opNewFalse:
		return m.push(false)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opInt, opLong:
		return m.integer(op)
	case opBinFloat:
		v, err := m.r.bytes(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(bigEndian(v)))
	case opFloat:
		s, err := m.r.line()
		if err != nil {
			return err
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%s is not a number", Printable(s))
		}
		return m.push(f)
	case opString, opUnicode:
		return m.textString(op)
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		return m.sized(op, 1)
	case opBinString, opBinUnicode, opBinBytes:
		return m.sized(op, 4)
	case opBinUnicode8, opBinBytes8, opByteArray8:
		return m.sized(op, 8)

	case opMark:
		return m.mark()
	case opPop:
		if len(m.marks) > 0 && len(m.stack) == m.fence() {
			m.marks = m.marks[:len(m.marks)-1] // POP may remove a mark, too
			return nil
		}
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)
	case opPut, opBinPut, opLongBinPut, opMemoize, opGet, opBinGet, opLongBinGet:
		return m.memory(op)

	case opEmptyTuple:
		return m.push(Tuple{})
	case opTuple1, opTuple2, opTuple3:
		vs, err := m.popN(int(op-opTuple1) + 1)
		if err != nil {
			return err
		}
		return m.box(vs)
	case opEmptyList:
		return m.box(new(List))
	case opEmptyDict:
		return m.box(new(Dict))
	case opEmptySet:
		return m.box(new(Set))
	case opTuple, opList, opDict, opFrozenSet:
		return m.collect(op)
	case opAppend:
		vs, err := m.popN(1)
		if err != nil {
			return err
		}
		return m.appendTo(vs)
	case opAppends, opAddItems:
		vs, err := m.popMark()
		if err != nil {
			return err
		}
		return m.appendTo(vs)
	case opSetItem:
		vs, err := m.popN(2)
		if err == nil {
			err = m.pay(itemCost)
		}
		if err != nil {
			return err
		}
		return m.setItems(vs)
	case opSetItems:
		vs, err := m.popMark()
		if err != nil {
			return err
		}
		return m.setItems(vs)

	case opGlobal, opInst:
		module, err := m.r.line()
		if err != nil {
			return err
		}
		name, err := m.r.line()
		if err != nil {
			return err
		}
		if err := m.global(module, name); err != nil || op == opGlobal {
			return err
		}
		return errors.New("it makes an instance in a way that no checkpoint does (INST)")
	case opStackGlobal:
		vs, err := m.popN(2)
		if err != nil {
			return err
		}
		module, ok1 := vs[0].(string)
		name, ok2 := vs[1].(string)
		if !ok1 || !ok2 {
			return fmt.Errorf("it names a global by %s", describe(vs))
		}
		return m.global(module, name)
	case opPersID:
		id, err := m.r.line()
		if err != nil {
			return err
		}
		return m.persistent(id)
	case opBinPersID:
		id, err := m.pop()
		if err != nil {
			return err
		}
		return m.persistent(id)
	case opReduce:
		return m.reduce()
	case opBuild:
		return m.build()
	case opObj, opNewObj, opNewObjEx:
		return errors.New("it makes an instance in a way that no checkpoint does")
	case opExt1, opExt2, opExt4:
		return errors.New("it refers to Python's extension registry, which no checkpoint does")
	}
	return fmt.Errorf("0x%02x is not an instruction that checkpoints hold", op)
}

// box pushes a container.
func (m *machine) box(v any) error {
	if err := m.pay(boxCost); err != nil {
		return err
	}
	return m.push(v)
}

// collect makes a container from the values above the mark.
func (m *machine) collect(op byte) error {
	vs, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case opTuple:
		return m.box(vs)
	case opList:
		return m.box(&List{vs})
	case opFrozenSet:
		return m.box(&Set{vs})
	}
	d := new(Dict)
	if err := fill(d, vs); err != nil {
		return err
	}
	return m.box(d)
}

func (m *machine) memory(op byte) error {
	var key uint64
	var err error
	switch op {
	case opMemoize:
		key = uint64(len(m.memo))
	case opBinPut, opBinGet:
		key, err = m.r.uint(1)
	case opLongBinPut, opLongBinGet:
		key, err = m.r.uint(4)
	default:
		var s string
		if s, err = m.r.line(); err == nil {
			if key, err = strconv.ParseUint(s, 10, 32); err != nil {
				err = fmt.Errorf("%s is not the number of a value", Printable(s))
			}
		}
	}
	if err != nil {
		return err
	}
	switch op {
	case opGet, opBinGet, opLongBinGet:
		return m.recall(key)
	}
	return m.memoize(key)
}

func (m *machine) integer(op byte) error {
	var v uint64
	var err error
	switch op {
	case opBinInt1:
		v, err = m.r.uint(1)
	case opBinInt2:
		v, err = m.r.uint(2)
	case opBinInt:
		v, err = m.r.uint(4)
		v = uint64(int32(v))
	case opInt, opLong:
		return m.textInteger()
	case opLong1, opLong4:
		n, err := m.r.uint(map[byte]int{opLong1: 1, opLong4: 4}[op])
		if err != nil {
			return err
		}
		if n > maxInt {
			return fmt.Errorf("an integer claims %d bytes; at most %d are allowed", n, maxInt)
		}
		b, err := m.r.bytes(n)
		if err != nil {
			return err
		}
		return m.push(twosComplement(b))
	}
	if err != nil {
		return err
	}
	return m.push(int64(v))
}

// textInteger reads the decimal integers of protocol 0; 00 and 01 are bools.
func (m *machine) textInteger() error {
	s, err := m.r.line()
	if err != nil {
		return err
	}
	if s == "00" || s == "01" {
		return m.push(s == "01")
	}
	digits := strings.TrimSuffix(s, "L")
	if v, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return m.push(v)
	}
	v, ok := new(big.Int), false
	if len(digits) <= 2*maxInt {
		v, ok = v.SetString(digits, 10)
	}
	if !ok {
		return fmt.Errorf("%s is not an integer of reasonable length", Printable(s))
	}
	return m.push(v)
}

// twosComplement is the little-endian signed integer b: an int64 where it fits.
func twosComplement(b []byte) any {
	if len(b) == 0 {
		return int64(0)
	}
	be := make([]byte, len(b))
	for i, x := range b {
		be[len(b)-1-i] = x
	}
	v := new(big.Int).SetBytes(be)
	if be[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if v.IsInt64() {
		return v.Int64()
	}
	return v
}

func bigEndian(b []byte) uint64 {
	v := uint64(0)
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// sized reads a string or bytes behind a length of lenBytes bytes. The byte
// strings of Python 2 become strings, whatever bytes they hold.
func (m *machine) sized(op byte, lenBytes int) error {
	n, err := m.r.uint(lenBytes)
	if err != nil {
		return err
	}
	if err := m.r.has(n); err != nil {
		return err
	}
	if err := m.pay(int(n)); err != nil {
		return err
	}
	b, err := m.r.bytes(n)
	if err != nil {
		return err
	}
	switch op {
	case opShortBinBytes, opBinBytes, opBinBytes8, opByteArray8:
		return m.push(b)
	case opShortBinUnicode, opBinUnicode, opBinUnicode8:
		if !utf8.Valid(b) {
			return errors.New("a text is not valid UTF-8")
		}
	}
	return m.push(string(b))
}

// textString reads the quoted and the unicode-escaped strings of protocol 0.
func (m *machine) textString(op byte) error {
	s, err := m.r.line()
	if err != nil {
		return err
	}
	if err := m.pay(len(s)); err != nil {
		return err
	}
	if op == opString {
		s = strings.TrimSpace(s)
		if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
			return errors.New("a string is not in quotes")
		}
		s = s[1 : len(s)-1]
	}
	out, err := unescape(s, op == opString)
	if err != nil {
		return err
	}
	return m.push(out)
}

// unescape resolves \uXXXX and \UXXXXXXXX, or in byte strings \n, \xXX and
// their like. Python writes the bytes of a unicode line as Latin-1.
func unescape(s string, byteString bool) (string, error) {
	var b strings.Builder
	digits := map[byte]int{'u': 4, 'U': 8}
	plain := map[byte]byte{}
	if byteString {
		digits = map[byte]int{'x': 2}
		plain = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '\'': '\'', '"': '"'}
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			if byteString {
				b.WriteByte(s[i])
			} else {
				b.WriteRune(rune(s[i]))
			}
			continue
		}
		i++
		n, isCode := digits[s[i]]
		c, isPlain := plain[s[i]]
		switch {
		case isCode:
			if i+n >= len(s) {
				return "", errors.New("a string ends in the middle of an escape")
			}
			v, err := strconv.ParseUint(s[i+1:i+1+n], 16, 32)
			if err != nil {
				return "", fmt.Errorf("a string has the escape \\%s", Printable(s[i:i+1+n]))
			}
			if byteString {
				b.WriteByte(byte(v))
			} else {
				b.WriteRune(rune(v))
			}
			i += n
		case isPlain:
			b.WriteByte(c)
		case byteString:
			return "", fmt.Errorf("a string has the escape \\%c", s[i])
		default:
			b.WriteByte('\\')
			i-- // an escape of nothing stands for itself
		}
	}
	return b.String(), nil
}
