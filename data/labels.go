package data

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// maxClasses bounds the numbers of classes: larger ones are no labels.
const maxClasses = 1 << 20

// words are the labels of samples as they are written.
type words struct {
	// of is each sample's, and name tells a person which sample that is.
	of   []string
	name func(i int) string
	// numbers is set where whole numbers are the labels themselves. Elsewhere they
	// are names like others.
	numbers bool
}

// leftOut is the label of a sample whose class the class map does not name.
const leftOut = -1

// number finds the classes and each sample's label: by the given classes, or else
// the samples' own, sorted.
func (w words) number(o Options) (labels []int32, classes []string, err error) {
	if classes = o.Classes; len(classes) == 0 {
		if classes, err = w.classes(); err != nil {
			return nil, nil, err
		}
	}
	byName := make(map[string]int32, len(classes))
	for i, name := range classes {
		byName[name] = int32(i)
	}
	labels = make([]int32, len(w.of))
	kept := 0
	for i, word := range w.of {
		l, known := byName[word]
		if !known && w.numbers {
			if n, ok := wholeNumber(word); ok && n < len(classes) {
				l, known = int32(n), true
			}
		}
		switch {
		case known:
			labels[i] = l
			kept++
		case o.restrict:
			labels[i] = leftOut
		default:
			return nil, nil, fmt.Errorf("%s is of class %q, which is unknown; the classes are %s", w.name(i), word, sample(classes))
		}
	}
	if kept == 0 {
		return nil, nil, fmt.Errorf("none of the %d samples is of one of the classes %s; the first is of class %q, %s",
			len(w.of), sample(classes), w.of[0], w.name(0))
	}
	return labels, classes, nil
}

// classes are the samples' own.
func (w words) classes() ([]string, error) {
	distinct, allNumbers, largest := map[string]bool{}, true, 0
	for i, word := range w.of {
		if word == "" {
			return nil, fmt.Errorf("%s has an empty label", w.name(i))
		}
		if distinct[word] {
			continue
		}
		distinct[word] = true
		n, ok := wholeNumber(word)
		allNumbers = allNumbers && ok
		largest = max(largest, n)
	}
	if allNumbers && w.numbers {
		return numbered(largest + 1), nil
	}
	// Titles or captions instead of classes would make a classifier of each sample.
	if n := len(w.of); n >= 20 && len(distinct) == n {
		return nil, fmt.Errorf("each of the %d samples has a label of its own, such as %q of %s; labels should name classes", n, w.of[0], w.name(0))
	}
	names := slices.Collect(maps.Keys(distinct))
	slices.SortFunc(names, func(a, b string) int {
		if allNumbers {
			x, _ := wholeNumber(a)
			y, _ := wholeNumber(b)
			return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
		}
		return cmp.Compare(a, b)
	})
	return names, nil
}

// wholeNumber reads a label that is a number.
func wholeNumber(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err == nil && n < maxClasses
}

// keep is ds without the samples that are left out.
func keep(ds Dataset, labels []int32) Dataset {
	if !slices.Contains(labels, leftOut) {
		return ds
	}
	var indices []int
	for i, l := range labels {
		if l != leftOut {
			indices = append(indices, i)
		}
	}
	return Subset(ds, indices)
}
