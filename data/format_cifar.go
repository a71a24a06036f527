package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func init() {
	Register(Format{
		Name:  "cifar",
		About: "a folder with the official binary files: data_batch_1.bin ... and test_batch.bin (CIFAR-10), or train.bin and test.bin (CIFAR-100)",
		Open:  openCIFAR,
	})
}

// cifarKind is one of the two sets: where its files are and how a record begins.
type cifarKind struct {
	folder      string // what the official archive unpacks to
	train       string // a pattern
	test        string
	labelBytes  int // the last of them is the label that is used
	classes     int
	classesFile string
}

var cifarKinds = []cifarKind{
	{"cifar-10-batches-bin", "data_batch_*.bin", "test_batch.bin", 1, 10, "batches.meta.txt"},
	{"cifar-100-binary", "train.bin", "test.bin", 2, 100, "fine_label_names.txt"},
}

const (
	cifarSide  = 32
	cifarPlane = cifarSide * cifarSide
)

// openCIFAR reads CIFAR-10, or CIFAR-100 with its fine labels, from root or from
// the official archive's folder in it. The test file is both val and test.
func openCIFAR(root, split string, o Options) (Dataset, error) {
	if split != "train" && split != "val" && split != "test" {
		return nil, fmt.Errorf("%s has no split %q; there are train, and val or test for the test file", root, split)
	}
	if info, err := os.Stat(root); err != nil {
		return nil, missing(root, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file; expected the folder with CIFAR's .bin files", root)
	}
	var sought []string
	for _, kind := range cifarKinds {
		pattern := kind.train
		if split != "train" {
			pattern = kind.test
		}
		sought = append(sought, fmt.Sprintf("%s (CIFAR-%d)", pattern, kind.classes))
		for _, dir := range []string{root, filepath.Join(root, kind.folder)} {
			files, err := glob(dir, pattern)
			if err != nil {
				return nil, err
			}
			if len(files) > 0 {
				return readCIFAR(kind, dir, files, o)
			}
		}
	}
	return nil, fmt.Errorf("%s has no files of CIFAR's split %s; expected %s", root, split, strings.Join(sought, " or "))
}

// glob lists the files in dir whose names match pattern, sorted; none where dir
// is not there. Unlike filepath.Glob it takes dir literally.
func glob(dir, pattern string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if ok, err := filepath.Match(pattern, e.Name()); err != nil {
			return nil, err
		} else if ok {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

func readCIFAR(kind cifarKind, dir string, files []string, o Options) (Dataset, error) {
	var pixels []uint8
	var labels []int32
	record := kind.labelBytes + 3*cifarPlane
	for _, path := range files {
		contents, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(contents) == 0 || len(contents)%record != 0 {
			return nil, fmt.Errorf("%s has %d bytes; expected whole records of %d; the file is cut or of another format",
				path, len(contents), record)
		}
		for n := 0; len(contents) > 0; n++ {
			label := contents[kind.labelBytes-1]
			if int(label) >= kind.classes {
				return nil, fmt.Errorf("%s: label %d in record %d; CIFAR-%d has labels 0 to %d", path, label, n, kind.classes, kind.classes-1)
			}
			labels = append(labels, int32(label))
			pixels = appendInterleaved(pixels, contents[kind.labelBytes:record], 3)
			contents = contents[record:]
		}
	}
	classes, err := classNames(filepath.Join(dir, kind.classesFile), kind.classes, o)
	if err != nil {
		return nil, err
	}
	source := files[0]
	if len(files) > 1 {
		source = filepath.Join(dir, kind.train)
	}
	return FromPixels(source, pixels, cifarSide, cifarSide, 3, labels, classes)
}

// appendInterleaved appends a picture given as one plane a channel.
func appendInterleaved(dst, planes []uint8, channels int) []uint8 {
	dst = append(dst, planes...) // for its length
	out := dst[len(dst)-len(planes):]
	n := len(planes) / channels
	for c := range channels {
		for i, v := range planes[c*n : (c+1)*n] {
			out[i*channels+c] = v
		}
	}
	return dst
}

// classNames are the n names that the options or the file give, one a line, or
// numbers where there is no such file.
func classNames(path string, n int, o Options) ([]string, error) {
	if len(o.Classes) == n {
		return o.Classes, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return numbered(n), nil
	}
	if err != nil {
		return nil, err
	}
	names := strings.Fields(string(text))
	if len(names) != n {
		return nil, fmt.Errorf("%s names %d classes; expected %d", path, len(names), n)
	}
	return names, nil
}

// missing explains that a path cannot be opened.
func missing(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no %s", path)
	}
	return err
}
