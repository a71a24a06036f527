package data

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/data/imaging"
)

func init() {
	Register(Format{
		Name: "folder",
		About: "a folder with train and val in it, each with one subfolder of pictures a class; " +
			"or with the classes' subfolders at once, which are then divided",
		Open: openFolder,
	})
}

// splitNames are the folders that mark a root as divided, by split.
var splitNames = map[string][]string{
	"train": {"train", "training"},
	"val":   {"val", "valid", "validation"},
	"test":  {"test", "testing"},
}

// folder is a Dataset of picture files.
type folder struct {
	paths    []string
	labels   []int32
	classes  []string
	channels int
}

// openFolder finds the pictures of a split. Classes are numbered in the order of
// their names, as torchvision's ImageFolder does, and are those of train for
// every split.
func openFolder(root, split string, o Options) (Dataset, error) {
	if info, err := os.Stat(root); err != nil {
		return nil, missing(root, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file; expected a folder with a subfolder of pictures for each class", root)
	}
	splits := map[string]string{}
	for name, folders := range splitNames {
		for _, f := range folders {
			if info, err := os.Stat(filepath.Join(root, f)); err == nil && info.IsDir() {
				splits[name] = filepath.Join(root, f)
				break
			}
		}
	}
	if splits["train"] == "" { // not divided, or evaluation data alone
		if dir := splits[split]; dir != "" {
			return readFolder(dir, o.Classes, o.restrict)
		}
		if found, err := subfolders(root); err == nil && len(found) == len(splits) {
			return nil, noSplit("the folder "+root, split, slices.Collect(maps.Keys(splits)))
		}
		ds, err := readFolder(root, o.Classes, o.restrict)
		if err != nil {
			return nil, err
		}
		return divided(ds, root, split, o)
	}
	dir := splits[split]
	if dir == "" {
		return nil, noSplit("the folder "+root, split, slices.Collect(maps.Keys(splits)))
	}
	classes := o.Classes
	if len(classes) == 0 {
		var err error
		if classes, err = subfolders(splits["train"]); err != nil {
			return nil, err
		}
	}
	return readFolder(dir, classes, o.restrict)
}

// readFolder lists the pictures of dir's classes. Given classes fix the labels;
// dir must then have those, and no others unless it is restricted to them.
func readFolder(dir string, classes []string, restrict bool) (Dataset, error) {
	found, err := subfolders(dir)
	if err != nil {
		return nil, err
	}
	if len(classes) == 0 {
		classes = found
	}
	for _, name := range found {
		if !restrict && !slices.Contains(classes, name) {
			return nil, fmt.Errorf("the folder %s is of no known class; the classes are %s", filepath.Join(dir, name), sample(classes))
		}
	}
	f := &folder{classes: classes}
	for label, class := range classes {
		at := filepath.Join(dir, class)
		if !slices.Contains(found, class) {
			return nil, fmt.Errorf("the class %s has no folder %s; every class needs pictures in every split", class, at)
		}
		before := len(f.paths)
		// WalkDir goes in lexical order: the samples' numbers do not depend on the disk.
		// The separator at the end makes it follow a class folder that is a link.
		err := filepath.WalkDir(at+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if hidden := strings.HasPrefix(e.Name(), "."); hidden && e.IsDir() {
				return filepath.SkipDir
			} else if !hidden && !e.IsDir() && isPicture(path) {
				f.paths = append(f.paths, path)
				f.labels = append(f.labels, int32(label))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(f.paths) == before {
			return nil, fmt.Errorf("the class folder %s has no pictures; expected files ending in %s", at, strings.Join(imaging.Extensions, ", "))
		}
	}
	f.channels = detectChannels(f.labels, func(i int) ([]byte, error) { return os.ReadFile(f.paths[i]) })
	return f, nil
}

// subfolders lists the folders in dir by name, which are the classes.
func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		// Stat follows links, by which data sets are often put together.
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("the folder %s has no subfolders; expected one for each class, with its pictures in it", dir)
	}
	return names, nil
}

func isPicture(path string) bool {
	return slices.Contains(imaging.Extensions, strings.ToLower(filepath.Ext(path)))
}

// detectChannels is 1 if the first picture of every class is gray, and else 3.
func detectChannels(labels []int32, read func(i int) ([]byte, error)) int {
	looked := map[int32]bool{}
	for i, label := range labels {
		if looked[label] {
			continue
		}
		looked[label] = true
		contents, err := read(i)
		if err != nil {
			return 3
		}
		if info, err := imaging.DecodeInfo(contents); err != nil || info.Channels != 1 {
			return 3
		}
	}
	return 1
}

func (f *folder) Len() int          { return len(f.paths) }
func (f *folder) Classes() []string { return f.classes }
func (f *folder) Label(i int) int   { return int(f.labels[i]) }
func (f *folder) Channels() int     { return f.channels }
func (f *folder) Name(i int) string { return f.paths[i] }

func (f *folder) Read(i int, s *Sample) error {
	s.reset()
	file, err := os.Open(f.paths[i])
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if n := int(info.Size()); cap(s.file) < n {
		s.file = make([]byte, n)
	}
	s.file = s.file[:info.Size()]
	if _, err := io.ReadFull(file, s.file); err != nil {
		return fmt.Errorf("reading %s: %w", f.paths[i], err)
	}
	s.Encoded = s.file
	return nil
}
