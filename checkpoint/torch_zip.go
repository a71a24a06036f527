package checkpoint

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed52467199/trainer/checkpoint/internal/pickle"
)

const (
	maxPickle = 256 << 20 // bytes of data.pkl; real ones have some megabytes
	maxRatio  = 64        // of a compressed archive's content to its size
)

// zipStorages reads the storages of the format of torch.save since 1.6: a zip
// archive with ROOT/data.pkl, ROOT/byteorder and one ROOT/data/KEY a storage.
type zipStorages struct {
	files map[string]*zip.File // by name without ROOT/
	big   bool                 // elements are big-endian
}

func decodeZipTorch(r io.ReaderAt, size int64, o Options) (*File, error) {
	s, err := openTorchZip(r, size)
	if err != nil {
		return nil, err
	}
	if _, ok := s.files["constants.pkl"]; ok {
		return nil, errors.New("it is a TorchScript archive, which holds code; save its state_dict() instead")
	}
	text, err := s.content("data.pkl", maxPickle)
	if err != nil {
		return nil, err
	}
	root, err := pickle.Decode(pickle.NewReader(readerAt(text), int64(len(text))), newTorchHost())
	if err != nil {
		return nil, err
	}
	f, err := decodeTorch(root, s, size, o)
	if err != nil {
		return nil, err
	}
	f.Format = FormatTorchZip
	return f, nil
}

// openTorchZip lists the archive and refuses one that cannot be honest.
func openTorchZip(r io.ReaderAt, size int64) (*zipStorages, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("the zip archive is truncated or damaged: %w", err)
	}
	root, found := "", false
	for _, f := range archive.File {
		if dir, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && strings.Count(f.Name, "/") <= 1 && (dir == "" || strings.HasSuffix(dir, "/")) {
			root, found = dir, true
			break
		}
	}
	if !found {
		return nil, errors.New("it is a zip archive without data.pkl, so not a PyTorch file")
	}
	s := &zipStorages{files: make(map[string]*zip.File, len(archive.File))}
	packed, unpacked := uint64(0), uint64(0)
	for _, f := range archive.File {
		name := strings.TrimPrefix(f.Name, root)
		if _, twice := s.files[name]; twice {
			return nil, fmt.Errorf("the zip archive holds %s twice", pickle.Printable(f.Name))
		}
		s.files[name] = f
		if f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64 {
			return nil, fmt.Errorf("record %s of the zip archive is stored in %d bytes and claims %d", pickle.Printable(f.Name), f.CompressedSize64, f.UncompressedSize64)
		}
		packed, unpacked = saturatingAdd(packed, f.CompressedSize64), saturatingAdd(unpacked, f.UncompressedSize64)
	}
	if packed > uint64(size) {
		return nil, fmt.Errorf("the records of the zip archive claim %d bytes, more than the file's %d", packed, size)
	}
	if unpacked/maxRatio > uint64(size) {
		return nil, fmt.Errorf("the zip archive claims to unpack to %d bytes, absurdly many for a file of %d", unpacked, size)
	}
	if _, ok := s.files["byteorder"]; ok {
		order, err := s.content("byteorder", 16)
		if err != nil {
			return nil, err
		}
		s.big = string(order) == "big"
	}
	return s, nil
}

func saturatingAdd(a, b uint64) uint64 {
	if a+b < a {
		return ^uint64(0)
	}
	return a + b
}

// content reads a record of at most limit bytes.
func (s *zipStorages) content(name string, limit uint64) ([]byte, error) {
	f := s.files[name]
	if f.UncompressedSize64 > limit {
		return nil, fmt.Errorf("record %s of the zip archive has %d bytes; at most %d are allowed", name, f.UncompressedSize64, limit)
	}
	return unzip(f)
}

func (s *zipStorages) read(key string, nbytes int64, elemSize int) ([]byte, error) {
	f, ok := s.files["data/"+key]
	if !ok {
		return nil, fmt.Errorf("its storage %s is not in the file", pickle.Printable(key))
	}
	if f.UncompressedSize64 != uint64(nbytes) {
		return nil, fmt.Errorf("its storage %s should have %d bytes and has %d", pickle.Printable(key), nbytes, f.UncompressedSize64)
	}
	b, err := unzip(f)
	if err == nil && s.big {
		swapBytes(b, elemSize)
	}
	return b, err
}

// unzip reads a whole record and compares its checksum.
func unzip(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err == nil {
		defer r.Close()
		b := make([]byte, f.UncompressedSize64)
		if _, err = io.ReadFull(r, b); err == nil {
			// Only the read that meets the end compares the checksum.
			if _, err = r.Read(make([]byte, 1)); err == io.EOF {
				return b, nil
			}
			if err == nil {
				err = errors.New("it is longer than the archive says")
			}
		}
	}
	return nil, fmt.Errorf("record %s of the zip archive is damaged: %w", pickle.Printable(f.Name), err)
}
