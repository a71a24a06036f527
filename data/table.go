package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// table is a csv file in memory, or what is like one.
type table struct {
	path   string
	header []string
	rows   [][]string
	lines  []int // where each row begins in the file
	// name tells a person where a row is, where that is no line of path.
	name func(row int) string
}

// readTable reads a file whose first row names the columns. They are separated by
// commas, semicolons or tabs, whichever the first row has most of.
func readTable(path string) (*table, error) {
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(path, err)
	}
	contents = bytes.TrimPrefix(contents, []byte(byteOrderMark))
	first, _, _ := bytes.Cut(contents, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(contents))
	for _, mark := range []byte{',', ';', '\t'} {
		if bytes.Count(first, []byte{mark}) > bytes.Count(first, []byte(string(r.Comma))) {
			r.Comma = rune(mark)
		}
	}
	t := &table{path: path}
	if t.header, err = r.Read(); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty; the first row should name the columns")
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, name := range t.header {
		t.header[i] = strings.TrimSpace(name)
		if _, err := strconv.ParseFloat(t.header[i], 64); err == nil {
			return nil, fmt.Errorf("%s: the first row has the number %s; it should name the columns", path, t.header[i])
		}
		if slices.Contains(t.header[:i], t.header[i]) {
			return nil, fmt.Errorf("%s: two columns are named %q", path, t.header[i])
		}
	}
	for {
		row, err := r.Read() // as many fields as the first, or an error
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		line, _ := r.FieldPos(0)
		t.rows, t.lines = append(t.rows, row), append(t.lines, line)
	}
	if len(t.rows) == 0 {
		return nil, fmt.Errorf("%s has no rows below its first", path)
	}
	return t, nil
}

// at tells a person where a row is.
func (t *table) at(row int) string {
	if t.name != nil {
		return t.name(row)
	}
	return fmt.Sprintf("%s, line %d", t.path, t.lines[row])
}

// all are the numbers of all rows.
func (t *table) all() []int {
	rows := make([]int, len(t.rows))
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// find is the column of a name, whatever its case.
func (t *table) find(name string) (int, bool) {
	if i := slices.Index(t.header, name); i >= 0 {
		return i, true
	}
	i := slices.IndexFunc(t.header, func(h string) bool { return strings.EqualFold(h, name) })
	return i, i >= 0
}

// named finds the columns that a key names.
func (t *table) named(key string, names ...string) ([]int, error) {
	list := make([]int, len(names))
	for k, name := range names {
		i, ok := t.find(name)
		if !ok {
			return nil, fmt.Errorf("%s has no column %s (%s); it has %s", t.path, name, key, t.names(nil))
		}
		list[k] = i
	}
	return list, nil
}

// names lists these columns, or all.
func (t *table) names(columns []int) string {
	if columns == nil {
		return strings.Join(t.header, ", ")
	}
	names := make([]string, len(columns))
	for k, i := range columns {
		names[k] = t.header[i]
	}
	return strings.Join(names, ", ")
}

// every tells whether all values of a column are so.
func (t *table) every(column int, is func(value string) bool) bool {
	return !slices.ContainsFunc(t.rows, func(row []string) bool { return !is(row[column]) })
}

// numbers reads columns of numbers, row by row.
func (t *table) numbers(columns []int, hint string) ([]float32, error) {
	values := make([]float32, 0, len(t.rows)*len(columns))
	for k, row := range t.rows {
		for _, i := range columns {
			v, ok := finiteNumber(row[i])
			if !ok {
				return nil, fmt.Errorf("%s: the column %s has %q, which is no number; %s", t.at(k), t.header[i], row[i], hint)
			}
			values = append(values, float32(v))
		}
	}
	return values, nil
}

// finiteNumber reads a number that a float32 can hold.
func finiteNumber(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && math.Abs(v) <= math.MaxFloat32
}

// isMark tells whether a value says that something is there or not.
func isMark(text string) bool {
	_, ok := mark(text)
	return ok
}

func mark(text string) (v float32, ok bool) {
	if b, err := strconv.ParseBool(text); err == nil && len(text) > 1 {
		if b {
			return 1, true
		}
		return 0, true
	}
	x, err := strconv.ParseFloat(text, 32)
	return float32(x), err == nil && (x == 0 || x == 1)
}
