package data

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ReadClassMap reads the names of classes, in the order of their labels, from a
// file: text with a name a line, or with a name, a tab and its number; a .csv table
// of names, or of names and numbers, with or without a header; or .json, a list of
// names, an object of numbers by name, or one of names by number. Numbers go from 0
// without a gap.
func ReadClassMap(path string) ([]string, error) {
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the class map: %w", missing(path, err))
	}
	contents = bytes.TrimPrefix(contents, []byte(byteOrderMark))
	var names []string
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		names, err = jsonClasses(contents)
	case ".csv":
		r := csv.NewReader(bytes.NewReader(contents))
		r.TrimLeadingSpace = true
		var rows [][]string
		if rows, err = r.ReadAll(); err == nil {
			names, err = tableClasses(rows, true)
		}
	default:
		var rows [][]string
		for line := range strings.Lines(string(contents)) {
			if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
				rows = append(rows, strings.Split(line, "\t"))
			}
		}
		names, err = tableClasses(rows, false)
	}
	if err != nil {
		return nil, fmt.Errorf("the class map %s: %w", path, err)
	}
	return names, nil
}

const byteOrderMark = "\xef\xbb\xbf"

// jsonClasses reads a list of names or an object.
func jsonClasses(contents []byte) ([]string, error) {
	var list []string
	if json.Unmarshal(contents, &list) == nil {
		return numberClasses(list, nil)
	}
	var names []string
	var numbers []int
	var byName map[string]int
	var byNumber map[string]string
	if json.Unmarshal(contents, &byName) == nil {
		for name, number := range byName {
			names, numbers = append(names, name), append(numbers, number)
		}
		return numberClasses(names, numbers)
	}
	if err := json.Unmarshal(contents, &byNumber); err != nil {
		return nil, errors.New("expected a list of names, or an object of numbers by name or of names by number")
	}
	for text, name := range byNumber {
		number, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a number nor has it one; expected numbers by name or names by number", text)
		}
		names, numbers = append(names, name), append(numbers, number)
	}
	return numberClasses(names, numbers)
}

// tableClasses reads rows of a name, or of a name and a number in either order. The
// first row may be a header where header is set.
func tableClasses(rows [][]string, header bool) ([]string, error) {
	width := 1
	if len(rows) > 0 {
		width = len(rows[0])
	}
	if width > 2 {
		return nil, fmt.Errorf("%d columns; expected a name, or a name and its number", width)
	}
	numeric := func(rows [][]string, column int) bool {
		for _, row := range rows {
			if len(row) != width {
				return false
			}
			if _, err := strconv.Atoi(strings.TrimSpace(row[column])); err != nil {
				return false
			}
		}
		return len(rows) > 0
	}
	if header && len(rows) > 0 {
		if width == 1 && isHeader(rows[0][0]) || width == 2 && !numeric(rows[:1], 0) && !numeric(rows[:1], 1) {
			rows = rows[1:]
		}
	}
	name, number := 0, 1
	if width == 2 && !numeric(rows, 1) {
		if name, number = 1, 0; !numeric(rows, 0) {
			return nil, errors.New("expected a name and its number in every row")
		}
	}
	var names []string
	var numbers []int
	for i, row := range rows {
		if len(row) != width {
			return nil, fmt.Errorf("row %d has %d columns and the first has %d", i+1, len(row), width)
		}
		names = append(names, strings.TrimSpace(row[name]))
		if width == 2 {
			n, err := strconv.Atoi(strings.TrimSpace(row[number]))
			if err != nil {
				return nil, fmt.Errorf("row %d: %q is no number", i+1, row[number])
			}
			numbers = append(numbers, n)
		}
	}
	return numberClasses(names, numbers)
}

// isHeader tells a column's title from the first of its names.
func isHeader(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "name", "class", "label", "class_name":
		return true
	}
	return false
}

// numberClasses puts names in the order of their numbers, or leaves them as they
// are without any.
func numberClasses(names []string, numbers []int) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("it names no class")
	}
	ordered := make([]string, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		at := i
		if numbers != nil {
			at = numbers[i]
		}
		switch {
		case name == "":
			return nil, fmt.Errorf("the name of class %d is empty", at)
		case seen[name]:
			return nil, fmt.Errorf("it names the class %s twice", name)
		case at < 0 || at >= len(names):
			return nil, fmt.Errorf("the class %s has number %d; the numbers of %d classes go from 0 to %d", name, at, len(names), len(names)-1)
		case ordered[at] != "":
			return nil, fmt.Errorf("the classes %s and %s both have number %d", min(ordered[at], name), max(ordered[at], name), at)
		}
		seen[name] = true
		ordered[at] = name
	}
	return ordered, nil
}
