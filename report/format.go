package report

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// appendFigure writes a loss or a metric for people: four digits that tell,
// and a width that stays the same while the figure moves a little.
func appendFigure(b []byte, v float64) []byte {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case a >= 1e5 || a > 0 && a < 1e-3:
		return strconv.AppendFloat(b, v, 'e', 2, 64)
	case a >= 1000:
		return strconv.AppendFloat(b, v, 'f', 0, 64)
	case a >= 100:
		return strconv.AppendFloat(b, v, 'f', 1, 64)
	case a >= 10:
		return strconv.AppendFloat(b, v, 'f', 2, 64)
	}
	return strconv.AppendFloat(b, v, 'f', 4, 64)
}

// Figure writes a loss or a metric for people: four digits that tell.
func Figure(v float64) string { return string(appendFigure(nil, v)) }

// appendRate writes a learning rate for people: three significant digits.
func appendRate(b []byte, v float64) []byte {
	if a := math.Abs(v); a > 0 && a < 1e-3 {
		return strconv.AppendFloat(b, v, 'e', 2, 64)
	}
	return strconv.AppendFloat(b, v, 'g', 3, 64)
}

func rate(v float64) string { return string(appendRate(nil, v)) }

// appendSpeed writes images per second: whole ones from 10 on.
func appendSpeed(b []byte, v float64) []byte {
	digits := 0
	if v < 10 {
		digits = 1
	}
	return strconv.AppendFloat(b, v, 'f', digits, 64)
}

// appendClock writes a duration as 0:07, 12:34 or 1:02:03.
func appendClock(b []byte, d time.Duration) []byte {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		b = strconv.AppendInt(b, s/3600, 10)
		b = append(b, ':')
		b = appendPadded(b, s/60%60, 2, '0')
	} else {
		b = strconv.AppendInt(b, s/60, 10)
	}
	b = append(b, ':')
	return appendPadded(b, s%60, 2, '0')
}

func clock(d time.Duration) string { return string(appendClock(nil, d)) }

// appendPadded writes a number that is not negative, filled up to a width on the left.
func appendPadded(b []byte, v int64, width int, pad byte) []byte {
	for n := digits(v); n < width; n++ {
		b = append(b, pad)
	}
	return strconv.AppendInt(b, v, 10)
}

// appendOf writes how many of a total, aligned: " 3/10".
func appendOf(b []byte, n, total int) []byte {
	b = appendPadded(b, int64(n), digits(int64(total)), ' ')
	b = append(b, '/')
	return strconv.AppendInt(b, int64(total), 10)
}

func digits(v int64) int {
	n := 1
	for ; v > 9; v /= 10 {
		n++
	}
	return n
}

// count writes a number with its thousands apart: 50,000.
func count[T int | int64](v T) string {
	s := strconv.FormatInt(int64(v), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is the count of a thing whose name takes an s.
func plural[T int | int64](v T, name string) string {
	if v == 1 {
		return "1 " + name
	}
	return count(v) + " " + name + "s"
}

// size writes bytes in binary units: 34.1 MiB.
func size(bytes int64) string {
	const units = "KMGTPE"
	if bytes < 1024 {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	v, unit := float64(bytes)/1024, 0
	for v >= 1024 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[unit:unit+1] + "iB"
}

// printable keeps a string that came from outside, such as a file's name,
// from steering the terminal: control characters are written as in Go.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
