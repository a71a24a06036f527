package data

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func init() {
	Register(Format{
		Name: "csv",
		About: "a table, or a folder with train.csv and val.csv; a column of picture files and one of classes, of labels such as cat|dog, " +
			"or several of 0 and 1 or of values; or rows of numbers alone",
		Open: openCSV,
	})
}

// openCSV reads a table for each split, or one that a column split divides, or one
// that is divided here.
func openCSV(root, split string, o Options) (Dataset, error) {
	path, own, err := tableFile(root, split)
	if err != nil {
		return nil, err
	}
	t, err := readTable(path)
	if err != nil {
		return nil, err
	}
	c, err := t.choose(o)
	if err != nil {
		return nil, err
	}
	if own || c.split < 0 {
		ds, err := t.open(c, o, t.all())
		if err != nil || own {
			return ds, err
		}
		return divided(ds, path, split, o)
	}
	rows := t.all()
	if split != "all" {
		bySplit := map[string][]int{}
		for i, row := range t.rows {
			in := row[c.split]
			for name, names := range splitNames {
				if slices.Contains(names, strings.ToLower(in)) {
					in = name
				}
			}
			bySplit[in] = append(bySplit[in], i)
		}
		if rows = bySplit[split]; len(rows) == 0 {
			return nil, noSplit(path, split, slices.Collect(maps.Keys(bySplit)))
		}
	}
	return t.open(c, o, rows)
}

// tableFile finds the table of a split; own tells that it has no others.
func tableFile(root, split string) (path string, own bool, err error) {
	info, err := os.Stat(root)
	if err != nil {
		return "", false, missing(root, err)
	}
	if !info.IsDir() {
		return root, false, nil
	}
	files, err := glob(root, "*.csv")
	if err != nil {
		return "", false, err
	}
	var have []string
	for name, names := range splitNames {
		for _, n := range names {
			if at := filepath.Join(root, n+".csv"); slices.Contains(files, at) {
				if name == split {
					return at, true, nil
				}
				have = append(have, name)
			}
		}
	}
	if len(have) > 0 {
		return "", false, noSplit(root, split, have)
	}
	path, err = onlyFile(root, ".csv")
	return path, false, err
}

// choice says what the columns of a table are.
type choice struct {
	image    int // -1: the rows are numbers
	split    int // -1: there is none
	targets  []int
	features []int // of rows of numbers
	task     Task
}

// targetNames are the columns that are taken for what is to be learned.
var targetNames = []string{"label", "labels", "class", "target", "targets"}

// choose finds out what the columns are, as far as the options do not say.
func (t *table) choose(o Options) (c choice, err error) {
	c.image, c.split = -1, -1
	if c.image, err = t.imageColumn(o.ImageColumn); err != nil {
		return c, err
	}
	var features []int
	if features, err = t.named("data.feature_columns", o.FeatureColumns...); err != nil {
		return c, err
	}
	if c.image >= 0 && len(features) > 0 {
		return c, fmt.Errorf("%s: the column %s has pictures, and data.feature_columns names columns of numbers; only one of them can be the input",
			t.path, t.header[c.image])
	}
	if i, ok := t.find("split"); ok && !slices.Contains(o.TargetColumns, t.header[i]) && !slices.Contains(features, i) {
		c.split = i
	}
	var rest []int // what may be a target
	for i, name := range t.header {
		// A column without a name, or named id, counts the rows.
		if i != c.image && i != c.split && !slices.Contains(features, i) && name != "" && !strings.EqualFold(name, "id") {
			rest = append(rest, i)
		}
	}
	if c.targets, err = t.targetColumns(c, rest, features, o); err != nil {
		return c, err
	}
	if c.image < 0 {
		if c.features = features; len(features) == 0 {
			c.features = slices.DeleteFunc(rest, func(i int) bool { return slices.Contains(c.targets, i) })
		}
		if len(c.features) == 0 {
			return c, fmt.Errorf("%s has no column of picture files (data.image_column) and none of numbers beside %s", t.path, t.names(c.targets))
		}
		for _, i := range c.features {
			if slices.Contains(c.targets, i) {
				return c, fmt.Errorf("%s: the column %s is both in data.feature_columns and in data.target_columns", t.path, t.header[i])
			}
		}
	}
	c.task, err = t.taskOf(c, o)
	return c, err
}

// imageColumn is the column of picture files, -1 for none.
func (t *table) imageColumn(name string) (int, error) {
	if name != "" {
		list, err := t.named("data.image_column", name)
		if err != nil {
			return -1, err
		}
		return list[0], nil
	}
	var found []int
	for i := range t.header {
		if t.every(i, isPicture) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return -1, nil
	case 1:
		return found[0], nil
	}
	return -1, fmt.Errorf("%s: the columns %s all have picture files; say in data.image_column which", t.path, t.names(found))
}

// targetColumns are the columns that the options name, or the only ones that can be
// meant.
func (t *table) targetColumns(c choice, rest, features []int, o Options) ([]int, error) {
	if len(o.TargetColumns) > 0 {
		return t.named("data.target_columns", o.TargetColumns...)
	}
	if len(o.Classes) > 0 && o.Task != "" && o.Task != Classify.String() {
		if list, err := t.named("", o.Classes...); err == nil {
			return list, nil
		}
	}
	var named []int
	for _, i := range rest {
		if slices.Contains(targetNames, strings.ToLower(t.header[i])) {
			named = append(named, i)
		}
	}
	marks := len(rest) > 0 && !slices.ContainsFunc(rest, func(i int) bool { return !t.every(i, isMark) })
	inputs := c.image >= 0 || len(features) > 0 // known, so that the others are targets
	switch {
	case len(named) == 1:
		return named, nil
	case inputs && len(rest) == 1, inputs && len(named) == 0 && marks:
		return rest, nil
	case len(rest) == 0:
		return nil, fmt.Errorf("%s has no column that says what is to be learned; it has %s", t.path, t.names(nil))
	}
	return nil, fmt.Errorf("%s: say in data.target_columns which of the columns %s are to be learned", t.path, t.names(rest))
}

// separators are what stands between several labels in one column.
const separators = "|;"

// taskOf finds out what the target columns ask, from all rows.
func (t *table) taskOf(c choice, o Options) (Task, error) {
	first := c.targets[0]
	number := func(text string) bool { _, ok := finiteNumber(text); return ok }
	switch task, err := ParseTask(o.Task); {
	case err != nil:
		return 0, err
	case o.Task == "" || o.Task == autoTask:
	case task == Classify && len(c.targets) > 1:
		return 0, fmt.Errorf("%s: data.task is classify, and there are the columns %s; one says the class", t.path, t.names(c.targets))
	default:
		return task, nil
	}
	if len(c.targets) > 1 {
		for _, i := range c.targets {
			if !t.every(i, number) && !t.every(i, isMark) {
				return 0, fmt.Errorf("%s: the column %s is one of several to be learned (%s), and has other than numbers",
					t.path, t.header[i], t.names(c.targets))
			}
		}
		if !slices.ContainsFunc(c.targets, func(i int) bool { return !t.every(i, isMark) }) {
			return MultiLabel, nil
		}
		return Regress, nil
	}
	whole := func(text string) bool { _, ok := wholeNumber(text); return ok }
	switch name := strings.ToLower(t.header[first]); {
	case t.every(first, whole):
		if name == "label" || name == "labels" || name == "class" {
			return Classify, nil
		}
		return 0, fmt.Errorf("%s: the column %s has whole numbers, which can be classes or values; say data.task: classify or regress", t.path, t.header[first])
	case t.every(first, number):
		return Regress, nil
	case !t.every(first, func(text string) bool { return !strings.ContainsAny(text, separators) }):
		return MultiLabel, nil
	}
	return Classify, nil
}

// learn reads what is to be learned from all rows: labels, which are leftOut where the
// class map leaves a row out, or targets. numbers is set where whole numbers are
// labels themselves.
func (t *table) learn(c choice, numbers bool, o Options) (labels []int32, classes []string, targets []float32, err error) {
	labels = make([]int32, len(t.rows))
	switch {
	case c.task == Classify:
		w := words{name: t.at, numbers: numbers}
		for _, row := range t.rows {
			w.of = append(w.of, row[c.targets[0]])
		}
		labels, classes, err = w.number(o)
	case c.task == MultiLabel && len(c.targets) == 1 && !t.every(c.targets[0], isMark):
		classes, targets, err = t.labelSets(c.targets[0], o)
	default:
		for _, i := range c.targets {
			classes = append(classes, t.header[i])
		}
		if len(o.Classes) > 0 && !slices.Equal(o.Classes, classes) {
			err = fmt.Errorf("%s: the columns to be learned are %s, and %s are expected", t.path, sample(classes), sample(o.Classes))
			break
		}
		targets, err = t.values(c)
	}
	return labels, classes, targets, err
}

// open makes a data set of some rows. What the classes are it takes from all.
func (t *table) open(c choice, o Options, rows []int) (ds Dataset, err error) {
	labels, classes, targets, err := t.learn(c, o.restrict, o)
	if err != nil {
		return nil, err
	}
	picked := &table{path: t.path, header: t.header}
	var pickedLabels []int32
	var pickedTargets []float32
	width := len(targets) / len(t.rows)
	for _, i := range rows {
		if labels[i] == leftOut {
			continue
		}
		picked.rows, picked.lines = append(picked.rows, t.rows[i]), append(picked.lines, t.lines[i])
		pickedLabels = append(pickedLabels, labels[i])
		pickedTargets = append(pickedTargets, targets[i*width:(i+1)*width]...)
	}
	if len(picked.rows) == 0 {
		return nil, fmt.Errorf("%s: none of the %d rows is of one of the classes %s", t.path, len(rows), sample(classes))
	}
	if c.image >= 0 {
		ds, err = picked.files(c.image, pickedLabels, classes)
	} else {
		ds, err = picked.features(c.features, pickedLabels, classes, "the columns that are to be used can be named in data.feature_columns")
	}
	if err == nil && c.task != Classify {
		ds = &marked{ds, c.task, pickedTargets, len(classes)}
	}
	return ds, err
}

// values reads the target columns.
func (t *table) values(c choice) ([]float32, error) {
	if c.task == Regress {
		return t.numbers(c.targets, "values to be learned are numbers in every row")
	}
	var targets []float32
	for k, row := range t.rows {
		for _, i := range c.targets {
			v, ok := mark(row[i])
			if !ok {
				return nil, fmt.Errorf("%s: the column %s has %q; expected 1 where the label applies and 0 where it does not", t.at(k), t.header[i], row[i])
			}
			targets = append(targets, v)
		}
	}
	return targets, nil
}

// labelSets reads a column of several labels a row.
func (t *table) labelSets(column int, o Options) (classes []string, targets []float32, err error) {
	sets := make([][]string, len(t.rows))
	distinct := map[string]bool{}
	for k, row := range t.rows {
		for _, label := range strings.FieldsFunc(row[column], func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if label = strings.TrimSpace(label); label != "" {
				sets[k] = append(sets[k], label)
				distinct[label] = true
			}
		}
	}
	if classes = o.Classes; len(classes) == 0 {
		classes = slices.Sorted(maps.Keys(distinct))
	}
	if len(classes) == 0 {
		return nil, nil, fmt.Errorf("%s: the column %s has no labels in any row", t.path, t.header[column])
	}
	byName := map[string]int{}
	for i, name := range classes {
		byName[name] = i
	}
	targets = make([]float32, len(t.rows)*len(classes))
	for k, set := range sets {
		for _, label := range set {
			l, known := byName[label]
			if !known && !o.restrict {
				return nil, nil, fmt.Errorf("%s has the label %q, which is unknown; the labels are %s", t.at(k), label, sample(classes))
			}
			if known {
				targets[k*len(classes)+l] = 1
			}
		}
	}
	return classes, targets, nil
}

// files are the pictures of a column; relative names are below the table's folder.
func (t *table) files(column int, labels []int32, classes []string) (Dataset, error) {
	f := &folder{labels: labels, classes: classes}
	for k, row := range t.rows {
		path := filepath.FromSlash(row[column])
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(t.path), path)
		}
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return nil, fmt.Errorf("%s: the column %s has %q, and there is no file %s", t.at(k), t.header[column], row[column], path)
		}
		f.paths = append(f.paths, path)
	}
	f.channels = detectChannels(labels, func(i int) ([]byte, error) { return os.ReadFile(f.paths[i]) })
	return f, nil
}

// features is a Dataset of rows of numbers.
type features struct {
	path    string
	lines   []int
	values  []float32
	names   []string
	labels  []int32
	classes []string
}

func (t *table) features(columns []int, labels []int32, classes []string, hint string) (Dataset, error) {
	values, err := t.numbers(columns, hint)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(columns))
	for k, i := range columns {
		names[k] = t.header[i]
	}
	return &features{t.path, t.lines, values, names, labels, classes}, nil
}

// OpenFeatures reads all rows of a table for a network that has learned from these columns,
// in their order. Whatever other columns there are, such as what was to be learned, is
// left alone; the rows have no classes. An error names the file and, where it is about a
// number, its row and column.
func OpenFeatures(path string, columns []string) (Dataset, error) {
	t, err := readTable(path)
	if err != nil {
		return nil, err
	}
	found, err := t.named("which the network takes", columns...)
	if err != nil {
		return nil, err
	}
	ds, err := t.features(found, make([]int32, len(t.rows)), nil, "the network takes a number there")
	if err == nil {
		ds.(*features).names = columns // which may differ in case
	}
	return ds, err
}

func (f *features) Len() int          { return len(f.labels) }
func (f *features) Classes() []string { return f.classes }
func (f *features) Label(i int) int   { return int(f.labels[i]) }
func (f *features) Channels() int     { return len(f.names) }
func (f *features) Name(i int) string { return fmt.Sprintf("%s, line %d", f.path, f.lines[i]) }

func (f *features) Read(i int, s *Sample) error {
	s.reset()
	n := len(f.names)
	s.Tensor = Tensor{n, 1, 1, f.values[i*n : (i+1)*n : (i+1)*n], f.names}
	return nil
}
