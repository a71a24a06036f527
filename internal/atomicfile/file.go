package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
)

// Writer writes through an FS; the zero Writer writes to the real disk.
type Writer struct {
	FS FS
}

func (w Writer) fs() FS {
	if w.FS == nil {
		return OS
	}
	return w.FS
}

// Write replaces the file at path by what fill writes, atomically and
// durably. Where it fails, the old file is as it was. Errors name path.
func Write(path string, fill func(io.Writer) error) error {
	return Writer{}.Write(path, fill)
}

// Content fills a file with bytes that are there already; for Write.
func Content(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// Write is the package's Write on w's file system.
func (w Writer) Write(path string, fill func(io.Writer) error) error {
	fs := w.fs()
	tmp := path + tmpMark + token()
	if err := w.create(tmp, fill); err != nil {
		fs.RemoveAll(tmp) // best effort: the first error is the one to tell
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := fs.Rename(tmp, path); err != nil {
		fs.RemoveAll(tmp)
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := fs.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("writing %s: flushing its folder: %w", path, err)
	}
	return nil
}

// create writes a new file at path and flushes it.
func (w Writer) create(path string, fill func(io.Writer) error) error {
	f, err := w.fs().Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	err = fill(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
