package checkpoint

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

// Names within a run folder: RUN/checkpoints/last and RUN/checkpoints/best.
const (
	FolderName = "checkpoints"
	LastName   = "last"
	BestName   = "best"
)

const (
	metaFile      = "meta.json"
	weightsFile   = "weights.safetensors"
	optimizerFile = "optimizer.safetensors"
	emaFile       = "ema.safetensors"
	scaffoldFile  = "scaffold.safetensors"
)

// producerKey marks our own safetensors files: their names are exactly the
// model's, so no prefix of theirs is a wrapper's.
const (
	producerKey = "producer"
	producer    = "trainer"
)

// State is a training run at one moment.
type State struct {
	// Weights are parameters and buffers under PyTorch's names and layouts.
	Weights *Tensors
	// Optimizer holds what the update rule keeps; nil: nothing.
	Optimizer *Tensors
	// EMA is the moving average of the weights, under the same names; nil
	// where it is not used.
	EMA *Tensors
	// Scaffold holds parameters that only going on with the training needs, such as
	// a decoder that is thrown away in the end; nil without.
	Scaffold *Tensors
	Meta     Meta
}

// Save replaces the checkpoint folder dir by s. If it fails, or the process is
// killed, the former checkpoint or the new one can still be loaded.
func Save(dir string, s State) error {
	return save(atomicfile.Writer{}, dir, s)
}

func save(w atomicfile.Writer, dir string, s State) error {
	meta := s.Meta
	meta.FormatVersion, meta.Files = FormatVersion, make(map[string]FileSum)
	if meta.SavedAt.IsZero() {
		meta.SavedAt = time.Now().UTC().Truncate(time.Second)
	}
	if _, err := meta.encode(); err != nil {
		return fmt.Errorf("checkpoint %s: %w", dir, err) // before anything is written
	}
	return w.WriteDir(dir, func(d *atomicfile.Folder) error {
		for _, part := range []struct {
			name    string
			tensors *Tensors
		}{{weightsFile, s.Weights}, {optimizerFile, s.Optimizer}, {emaFile, s.EMA}, {scaffoldFile, s.Scaffold}} {
			if part.tensors == nil && part.name != weightsFile {
				continue
			}
			var sum summer
			err := d.Write(part.name, func(w io.Writer) error {
				sum = summer{w: w}
				return EncodeSafetensors(&sum, part.tensors, map[string]string{"format": "pt", producerKey: producer})
			})
			if err != nil {
				return err
			}
			meta.Files[part.name] = sum.sum()
		}
		text, err := meta.encode()
		if err != nil {
			return err
		}
		// Its presence says that the files it lists are complete.
		return d.Write(metaFile, atomicfile.Content(text))
	})
}

// Load reads the checkpoint folder dir and compares every checksum. Where the
// process that wrote it was killed between two renames, Load takes the
// complete checkpoint that lies beside.
func Load(dir string) (State, error) {
	path, meta, err := settle(dir)
	if err != nil {
		return State{}, err
	}
	s := State{Meta: *meta}
	for name, part := range map[string]**Tensors{weightsFile: &s.Weights, optimizerFile: &s.Optimizer, emaFile: &s.EMA, scaffoldFile: &s.Scaffold} {
		if _, ok := meta.Files[name]; !ok && name != weightsFile {
			continue
		}
		if *part, err = readPart(path, meta, name); err != nil {
			return State{}, err
		}
	}
	return s, nil
}

// readPart reads one of a checkpoint's files after comparing its checksum.
func readPart(dir string, meta *Meta, name string) (*Tensors, error) {
	if err := verify(dir, meta, name); err != nil {
		return nil, err
	}
	tensors, _, err := ReadSafetensors(filepath.Join(dir, name))
	return tensors, err
}

// verify compares a file with the size and checksum that meta.json has of it.
func verify(dir string, meta *Meta, name string) error {
	path := filepath.Join(dir, name)
	want, ok := meta.Files[name]
	if !ok {
		return fmt.Errorf("%s does not list %s", filepath.Join(dir, metaFile), name)
	}
	f, size, err := openForReading(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if size != want.Size {
		return fmt.Errorf("%s is damaged: it has %d bytes where %d were written", path, size, want.Size)
	}
	sum := summer{w: io.Discard}
	if _, err := io.Copy(&sum, f); err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	if got := sum.sum(); got != want {
		return fmt.Errorf("%s is damaged: its checksum is %s where %s was written", path, got.CRC32C, want.CRC32C)
	}
	return nil
}

// verifyAll reads a checkpoint's meta.json and verifies every file it lists.
func verifyAll(dir string) (*Meta, error) {
	meta, err := readMeta(dir)
	if err != nil {
		return nil, err
	}
	if _, ok := meta.Files[weightsFile]; !ok {
		return nil, fmt.Errorf("%s does not list %s", filepath.Join(dir, metaFile), weightsFile)
	}
	for name := range meta.Files {
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("%s lists %q, which is not in its folder", filepath.Join(dir, metaFile), name)
		}
		if err := verify(dir, meta, name); err != nil {
			return nil, err
		}
	}
	return meta, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summer counts and sums what passes through it.
type summer struct {
	w    io.Writer
	size int64
	crc  uint32
}

func (s *summer) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.size += int64(n)
	s.crc = crc32.Update(s.crc, castagnoli, p[:n])
	return n, err
}

func (s *summer) sum() FileSum { return FileSum{s.size, fmt.Sprintf("%08x", s.crc)} }

// CheckWritable tells, before any work is done, whether checkpoints can be
// written in the folder dir, which it makes where it is missing.
func CheckWritable(dir string) error { return atomicfile.CheckWritable(dir) }

// ErrNoCheckpoint is what Newest answers, wrapped, for a run folder without a
// checkpoint that can be loaded.
var ErrNoCheckpoint = errors.New("no good checkpoint")

// isDir tells whether path is a folder.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
