package data

import (
	"fmt"
	"slices"
	"strings"
)

// Options are what some formats need to be opened. The zero value is right for
// most.
type Options struct {
	// Classes fixes the names of the classes and their order, for instance those
	// of a checkpoint; the data must fit them. Empty: the data's own.
	Classes []string
	// ValFraction is the part of the samples that becomes val where the source
	// has no split of its own; 0 is 0.2.
	ValFraction float64
	// SplitSeed draws that part. It is apart from the run's seed, so that runs
	// with different seeds are measured on the same samples.
	SplitSeed uint64
}

// Format is one way in which data sets are stored.
type Format struct {
	// Name is what a configuration calls it.
	Name string
	// About says in one line what root must hold.
	About string
	// NoRoot is set where the data is embedded.
	NoRoot bool
	// Open opens one split below root. It refuses data that cannot be right, in
	// a sentence that names the file and what would be right.
	Open func(root, split string, o Options) (Dataset, error)
}

var formats []Format

// Register adds a format. It is for init functions, and panics where the name
// is taken.
func Register(f Format) {
	for _, other := range formats {
		if other.Name == f.Name {
			panic("data: two formats named " + f.Name)
		}
	}
	formats = append(formats, f)
	slices.SortFunc(formats, func(a, b Format) int { return strings.Compare(a.Name, b.Name) })
}

// Formats lists the formats by name.
func Formats() []Format { return slices.Clone(formats) }

// Open opens a split ("train", "val", "test"; "all" where the source is not
// divided) of the data below root in the given format.
func Open(format, root, split string, o Options) (Dataset, error) {
	names := make([]string, len(formats))
	for i, f := range formats {
		if names[i] = f.Name; f.Name != format {
			continue
		}
		if root == "" && !f.NoRoot {
			return nil, fmt.Errorf("the data format %s needs a root: %s", format, f.About)
		}
		ds, err := f.Open(root, split, o)
		if err != nil {
			return nil, fmt.Errorf("opening %s data: %w", format, err)
		}
		if len(o.Classes) > 0 && len(ds.Classes()) != len(o.Classes) {
			return nil, fmt.Errorf("opening %s data in %s: it has %d classes, and %d are expected (%s)",
				format, root, len(ds.Classes()), len(o.Classes), sample(o.Classes))
		}
		return ds, nil
	}
	return nil, fmt.Errorf("data format %q is unknown; known are %s", format, strings.Join(names, ", "))
}

// sample lists the first few names.
func sample(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
}

// numbered names classes 0 to n-1.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

// namesFor names the classes of data that knows no names and whose labels go up
// to n-1: as the options say where that is enough, for a split need not have
// samples of the last class.
func namesFor(n int, o Options) []string {
	if len(o.Classes) >= n {
		return o.Classes
	}
	return numbered(n)
}
