package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Format is how a file holds its tensors.
type Format string

// The formats that Open reads.
const (
	FormatSafetensors Format = "safetensors"
	FormatTorchZip    Format = "PyTorch zip"
	FormatTorchLegacy Format = "PyTorch legacy"
	FormatShards      Format = "shards with an index"
	FormatCheckpoint  Format = "checkpoint folder"
)

// Options says what to take from a file that offers a choice.
type Options struct {
	// EMA prefers the exponential moving average of the weights, where the
	// file or folder has one.
	EMA bool
	// Last takes a run folder's last checkpoint instead of its best.
	Last bool
	// Key names the top-level key of a PyTorch file under which the state
	// dict lies, such as teacher; empty: wherever it usually lies.
	Key string
	// KeepPrefixes leaves module., _orig_mod. and model. in front of names
	// even where every name has them.
	KeepPrefixes bool
}

// File is what Open found.
type File struct {
	// Path is the file or checkpoint folder that was read.
	Path string
	// Format is how it holds its tensors.
	Format Format
	// Tensors are the weights, in the file's order.
	Tensors *Tensors
	// Metadata is safetensors' metadata, or the numbers and strings beside a
	// PyTorch state dict, as text. It may be nil.
	Metadata map[string]string
	// Meta describes the run; nil unless a checkpoint folder was read.
	Meta *Meta
	// Source tells a person what was read from where.
	Source string
}

// Open reads the weights in a file or folder. A run folder stands for its best
// checkpoint, or its last where it has no best.
func Open(path string, o Options) (*File, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, exists := survivors(path); exists {
			return openCheckpoint(path, o)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", path, cause(err))
	}
	if info.IsDir() {
		return openFolder(path, o)
	}
	return openFile(path, o)
}

// openFile reads one file, or the shards that an index names.
func openFile(path string, o Options) (*File, error) {
	r, size, err := openForReading(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var f *File
	if isIndex(r, size) {
		f, err = openShards(path, r, size, o)
	} else {
		f, err = decode(r, size, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Path = path
	if !o.KeepPrefixes && f.Metadata[producerKey] != producer {
		var removed string
		if f.Tensors, removed = stripPrefixes(f.Tensors); removed != "" {
			f.Source += ", prefix " + removed + " removed"
		}
	}
	f.Source = fmt.Sprintf("%s (%s, %d tensors%s)", path, f.Format, f.Tensors.Len(), f.Source)
	return f, nil
}

// decode reads a single file by its content.
func decode(r io.ReaderAt, size int64, o Options) (*File, error) {
	head := make([]byte, min(size, 64))
	if err := readFull(r, head, 0); err != nil {
		return nil, err
	}
	switch {
	case size == 0:
		return nil, errors.New("the file is empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return decodeZipTorch(r, size, o)
	case looksLikeLegacyTorch(head):
		return decodeLegacyTorch(r, size, o)
	case looksLikeSafetensors(head, size):
		tensors, meta, err := decodeSafetensors(r, size)
		if err != nil {
			return nil, err
		}
		return &File{Format: FormatSafetensors, Tensors: tensors, Metadata: meta}, nil
	}
	return nil, fmt.Errorf("the file is neither safetensors nor a PyTorch checkpoint%s", resembles(head))
}

// resembles names other formats that are taken for checkpoints.
func resembles(head []byte) string {
	for magic, name := range map[string]string{
		"\x89HDF":         "; it is HDF5, as Keras writes it",
		"\x1f\x8b":        "; it is compressed with gzip",
		"<":               "; it looks like a web page, as a failed download leaves it",
		"version https:/": "; it is a Git LFS pointer: fetch the file itself",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return name
		}
	}
	if len(head) > 1 && head[0] == 0x80 && head[1] <= 5 {
		return "; it is a Python pickle without PyTorch's framing, or a truncated file"
	}
	if len(head) > 8 && string(head[4:8]) == "TFL3" {
		return "; it is TensorFlow Lite"
	}
	return ""
}

// weightFiles are what folders of published weights hold, most wanted first.
var weightFiles = []string{
	"model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin",
}

// openFolder reads a checkpoint folder, a run folder, its checkpoints folder,
// or a folder of published weights.
func openFolder(dir string, o Options) (*File, error) {
	if exists(filepath.Join(dir, metaFile)) {
		return openCheckpoint(dir, o)
	}
	order := []string{BestName, LastName}
	if o.Last {
		order = []string{LastName, BestName}
	}
	for _, parent := range []string{filepath.Join(dir, FolderName), dir} {
		for _, name := range order {
			path := filepath.Join(parent, name)
			if _, found := survivors(path); found {
				return openCheckpoint(path, o)
			}
		}
	}
	for _, name := range weightFiles {
		if path := filepath.Join(dir, name); exists(path) {
			return openFile(path, o)
		}
	}
	return nil, fmt.Errorf("folder %s holds no checkpoint: neither %s nor %s, nor one of %s",
		dir, metaFile, filepath.Join(FolderName, LastName), strings.Join(weightFiles, ", "))
}

// openCheckpoint reads the weights of a folder that Save wrote.
func openCheckpoint(dir string, o Options) (*File, error) {
	path, meta, err := settle(dir)
	if err != nil {
		return nil, err
	}
	name, what := weightsFile, "weights"
	if _, ok := meta.Files[emaFile]; ok && o.EMA {
		name, what = emaFile, "averaged weights"
	}
	tensors, err := readPart(path, meta, name)
	if err != nil {
		return nil, err
	}
	return &File{
		Path: path, Format: FormatCheckpoint, Tensors: tensors, Meta: meta,
		Source: fmt.Sprintf("%s (%s of %s, epoch %d, update %d, %d tensors)", path, what, orUnnamed(meta.Model.Name), meta.Epoch, meta.Update, tensors.Len()),
	}, nil
}

func orUnnamed(name string) string {
	if name == "" {
		return "an unnamed model"
	}
	return name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openForReading opens a regular file and tells its size.
func openForReading(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("%s cannot be opened: %w", path, cause(err))
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("%s cannot be opened: %w", path, cause(err))
	}
	return f, info.Size(), nil
}

// cause is err without the call and the path, which the sentence around it
// has already named.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
