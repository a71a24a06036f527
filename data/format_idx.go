package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func init() {
	Register(Format{
		Name:  "idx",
		About: "a folder with the files of MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte and the same with t10k, each also .gz",
		Open:  openIDX,
	})
}

// openIDX reads MNIST's format. The t10k files are both val and test.
func openIDX(root, split string, o Options) (Dataset, error) {
	prefix := "train"
	switch split {
	case "train":
	case "val", "test":
		prefix = "t10k"
	default:
		return nil, fmt.Errorf("%s has no split %q; there are train, and val or test for the t10k files", root, split)
	}
	path, dims, pixels, err := readIDX(root, prefix+"-images-idx3-ubyte", 3)
	if err != nil {
		return nil, err
	}
	labelPath, labelDims, raw, err := readIDX(root, prefix+"-labels-idx1-ubyte", 1)
	if err != nil {
		return nil, err
	}
	if labelDims[0] != dims[0] {
		return nil, fmt.Errorf("%s has %d pictures and %s has %d labels; they must be as many", path, dims[0], labelPath, labelDims[0])
	}
	labels, classes := widen(raw), 10
	for _, l := range raw {
		classes = max(classes, int(l)+1)
	}
	return FromPixels(path, pixels, dims[1], dims[2], 1, labels, namesFor(classes, o))
}

// widen turns bytes into labels.
func widen(raw []byte) []int32 {
	labels := make([]int32, len(raw))
	for i, l := range raw {
		labels[i] = int32(l)
	}
	return labels
}

// readIDX reads root/name or root/name.gz: a big-endian header of the magic
// number 0x0800+rank and the sizes, and bytes.
func readIDX(root, name string, rank int) (path string, dims []int, body []byte, err error) {
	path = filepath.Join(root, name)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		path += ".gz"
		if f, err = os.Open(path); errors.Is(err, os.ErrNotExist) {
			return "", nil, nil, fmt.Errorf("%s: there is no %s and no %s.gz", root, name, name)
		}
	}
	if err != nil {
		return "", nil, nil, err
	}
	defer f.Close()
	contents, err := io.ReadAll(f)
	if err != nil {
		return "", nil, nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if bytes.HasPrefix(contents, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(bytes.NewReader(contents))
		if err != nil {
			return "", nil, nil, fmt.Errorf("unpacking %s: %w", path, err)
		}
		if contents, err = io.ReadAll(unzipped); err != nil {
			return "", nil, nil, fmt.Errorf("unpacking %s: %w; the file is cut or damaged", path, err)
		}
	}
	dims, body, err = parseIDX(contents, rank)
	if err != nil {
		return "", nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return path, dims, body, nil
}

// parseIDX checks the header of an idx file of bytes against its length.
func parseIDX(contents []byte, rank int) (dims []int, body []byte, err error) {
	header := 4 + 4*rank
	if len(contents) < header {
		return nil, nil, fmt.Errorf("%d bytes; an idx file of rank %d begins with a header of %d", len(contents), rank, header)
	}
	if magic, want := binary.BigEndian.Uint32(contents), uint32(0x0800+rank); magic != want {
		return nil, nil, fmt.Errorf("it begins with %#08x; an idx file of bytes of rank %d begins with %#08x", magic, rank, want)
	}
	body = contents[header:]
	want := uint64(1)
	for i := range rank {
		d := binary.BigEndian.Uint32(contents[4+4*i:])
		if want *= uint64(d); want > 1<<31 {
			return nil, nil, fmt.Errorf("its header has a size of %d, too large for %d bytes; the file is damaged", d, len(contents))
		}
		dims = append(dims, int(d))
	}
	if uint64(len(body)) != want {
		return nil, nil, fmt.Errorf("sizes %v in its header need %d bytes after it, and there are %d; the file is cut or damaged", dims, want, len(body))
	}
	return dims, body, nil
}
