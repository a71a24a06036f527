package data

import (
	"cmp"
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
	// ClassMap is a file that names the classes and their order; see ReadClassMap.
	// Samples of other classes are left out where labels are names, and numbers get
	// their names where labels are numbers. Where Classes are given these are the
	// map's, and it is not read again.
	ClassMap string
	// ValFraction is the part of the samples that becomes val where the source
	// has no split of its own; 0 is 0.2.
	ValFraction float64
	// SplitSeed draws that part. It is apart from the run's seed, so that runs
	// with different seeds are measured on the same samples.
	SplitSeed uint64
	// Holdout sets samples of the training split aside, drawn with the classes'
	// shares from SplitSeed: they leave that split and are the split "holdout". From
	// 1 on it is their number, below 1 their share; 0 is none.
	Holdout float64
	// TargetColumns are the columns of a table, or fields of the .json members of tar
	// files, that say what is to be learned; empty: as the format finds it.
	TargetColumns []string
	// ImageColumn is a table's column of picture files, and FeatureColumns those of
	// the numbers that are the input instead; empty: as the format finds them.
	ImageColumn    string
	FeatureColumns []string
	// Task is what the data must ask: classify, multi_label or regress; auto or empty:
	// as the format finds it.
	Task string
	// TrainSplit is the training split's name; empty is "train".
	TrainSplit string

	restrict bool // samples of other than the given classes are left out
}

// train is the name of the training split.
func (o Options) train() string { return cmp.Or(o.TrainSplit, "train") }

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
// divided; "holdout", see Options) of the data below root in the given format.
func Open(format, root, split string, o Options) (Dataset, error) {
	f, err := formatOf(format)
	if err != nil {
		return nil, err
	}
	if root == "" && !f.NoRoot {
		return nil, fmt.Errorf("the data format %s needs a root: %s", format, f.About)
	}
	checked := o
	if o.ClassMap != "" {
		checked.restrict = true
		if len(o.Classes) == 0 {
			if checked.Classes, err = ReadClassMap(o.ClassMap); err != nil {
				return nil, err
			}
		}
	}
	ds, err := f.split(root, split, checked)
	if err != nil {
		return nil, fmt.Errorf("opening %s data: %w", format, err)
	}
	if task := TaskOf(ds).String(); o.Task != "" && o.Task != autoTask && o.Task != task {
		return nil, fmt.Errorf("opening %s data in %s: data.task is %s, and the data's is %s", format, root, o.Task, task)
	}
	if want := checked.Classes; len(want) > 0 && len(ds.Classes()) != len(want) {
		source := ""
		if o.ClassMap != "" {
			source = " by " + o.ClassMap
		}
		return nil, fmt.Errorf("opening %s data in %s: it has %d classes, and %d are expected%s (%s)",
			format, root, len(ds.Classes()), len(want), source, sample(want))
	}
	// A name that was mistyped would leave out its samples without a word.
	if o.ClassMap != "" && len(o.Classes) == 0 && split == o.train() && TaskOf(ds) == Classify {
		counts := make([]int, len(ds.Classes()))
		for i := range ds.Len() {
			counts[ds.Label(i)]++
		}
		if empty := slices.Index(counts, 0); empty >= 0 {
			return nil, fmt.Errorf("opening %s data in %s: %s names the class %s, of which the split %s has no sample",
				format, root, o.ClassMap, ds.Classes()[empty], split)
		}
	}
	return ds, nil
}

// formatOf finds a format by its name.
func formatOf(name string) (Format, error) {
	names := make([]string, len(formats))
	for i, f := range formats {
		if names[i] = f.Name; f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("data format %q is unknown; known are %s", name, strings.Join(names, ", "))
}

// holdoutSplit is the name of what Options.Holdout sets aside.
const holdoutSplit = "holdout"

// split opens one split, that of Holdout among them.
func (f Format) split(root, split string, o Options) (Dataset, error) {
	held := split == holdoutSplit
	if o.Holdout == 0 || !held && split != o.train() {
		ds, err := f.Open(root, split, o)
		if err != nil && held {
			err = fmt.Errorf("%w; data.holdout says how many samples of %s are set aside as this split", err, o.train())
		}
		return ds, err
	}
	whole, err := f.Open(root, o.train(), o)
	if err != nil {
		return nil, err
	}
	fraction := o.Holdout
	if fraction >= 1 {
		fraction /= float64(whole.Len())
	}
	if !(fraction > 0 && fraction < 1) {
		return nil, fmt.Errorf("%s: %v samples to hold out of the %d of %s; there must be some on either side",
			root, o.Holdout, whole.Len(), o.train())
	}
	chosen, part := SplitStratified(labelsOf(whole), fraction, o.SplitSeed)
	if held {
		chosen = part
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s: holding out %v of the %d samples of %s leaves none for %s",
			root, o.Holdout, whole.Len(), o.train(), split)
	}
	return Subset(whole, chosen), nil
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
