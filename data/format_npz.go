package data

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func init() {
	Register(Format{
		Name: "npz",
		About: "a NumPy .npz file (or a folder with one) that has train_images, train_labels, val_images ... as MedMNIST, or images and labels; " +
			"images are uint8 of shape (N, H, W) or (N, H, W, 3)",
		Open: openNPZ,
	})
}

// openNPZ reads SPLIT_images and SPLIT_labels, or divides images and labels.
func openNPZ(root, split string, o Options) (Dataset, error) {
	path, err := onlyFile(root, ".npz")
	if err != nil {
		return nil, err
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; the file is cut or no .npz file", path, err)
	}
	defer archive.Close()
	arrays := map[string]*zip.File{}
	var names []string
	for _, f := range archive.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		arrays[name] = f
		names = append(names, name)
	}
	slices.Sort(names)

	prefix := split + "_"
	undivided := arrays["images"] != nil && arrays["labels"] != nil && arrays[prefix+"images"] == nil
	if undivided {
		prefix = ""
	}
	images, err := readEntry(path, prefix+"images", arrays, names)
	if err != nil {
		return nil, err
	}
	labels, err := readEntry(path, prefix+"labels", arrays, names)
	if err != nil {
		return nil, err
	}
	// A class that only another split has still counts.
	classes := 0
	for _, name := range names {
		if name == "labels" || strings.HasSuffix(name, "_labels") {
			all, err := readEntry(path, name, arrays, names)
			if err != nil {
				return nil, err
			}
			for i := range len(all.body) / all.size {
				if l := all.at(i); l < 0 || l >= 1<<20 {
					return nil, fmt.Errorf("%s: label %d in %s; labels count from 0", path, l, name)
				} else {
					classes = max(classes, int(l)+1)
				}
			}
		}
	}
	ds, err := fromArrays(path, prefix, images, labels, namesFor(classes, o))
	if err != nil || !undivided {
		return ds, err
	}
	return divided(ds, path, split, o)
}

// onlyFile is root itself, or the one file in it whose name ends in ext.
func onlyFile(root, ext string) (string, error) {
	info, err := os.Stat(root)
	if err != nil {
		return "", missing(root, err)
	}
	if !info.IsDir() {
		return root, nil
	}
	files, err := glob(root, "*"+ext)
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("the folder %s has %d %s files; expected one, or name the file itself", root, len(files), ext)
	}
	return files[0], nil
}

// readEntry reads one array of the archive.
func readEntry(path, name string, arrays map[string]*zip.File, names []string) (*npyArray, error) {
	f := arrays[name]
	if f == nil {
		return nil, fmt.Errorf("%s has no array %s; it has %s", path, name, strings.Join(names, ", "))
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s, array %s: %w", path, name, err)
	}
	defer r.Close()
	// No array is larger than deflate can make of the bytes that are there.
	const bestRatio = 1032
	limit := int64(min(f.UncompressedSize64, f.CompressedSize64*bestRatio))
	a, err := readNPY(r, limit)
	if err != nil {
		return nil, fmt.Errorf("%s, array %s: %w", path, name, err)
	}
	return a, nil
}

func fromArrays(path, prefix string, images, labels *npyArray, classes []string) (Dataset, error) {
	s := images.shape
	if images.size != 1 || images.signed || !(len(s) == 3 || len(s) == 4 && (s[3] == 1 || s[3] == 3)) {
		return nil, fmt.Errorf("%s, array %simages: shape %v of %d-byte elements; expected uint8 of shape (N, H, W) or (N, H, W, 3)",
			path, prefix, s, images.size)
	}
	channels := 1
	if len(s) == 4 {
		channels = s[3]
	}
	n := len(labels.body) / labels.size
	if n != s[0] {
		return nil, fmt.Errorf("%s: %simages has %d pictures and %slabels has shape %v; expected one label a picture",
			path, prefix, s[0], prefix, labels.shape)
	}
	wide := make([]int32, n)
	for i := range wide {
		wide[i] = int32(labels.at(i))
	}
	source := path
	if prefix != "" {
		source += " " + strings.TrimSuffix(prefix, "_")
	}
	return FromPixels(source, images.body, s[1], s[2], channels, wide, classes)
}

// divided splits ds by the options' fraction.
func divided(ds Dataset, source, split string, o Options) (Dataset, error) {
	if o.ValFraction == 0 {
		o.ValFraction = 0.2
	}
	return splitOf(ds, source, split, o.ValFraction, o.SplitSeed)
}

// splitFile is root itself where it is a file, or root/SPLIT+ext.
func splitFile(root, split, ext string) (string, error) {
	info, err := os.Stat(root)
	if err != nil {
		return "", missing(root, err)
	}
	if !info.IsDir() {
		return root, nil
	}
	path := filepath.Join(root, split+ext)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the folder %s has no %s%s; expected one file a split", root, split, ext)
	}
	return path, nil
}
