package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

const (
	tmpMark  = ".tmp-"
	prevMark = ".prev-"
)

// token makes the names of temporary files differ between processes.
func token() string { return strings.ToLower(rand.Text()[:10]) }

// Folder is a folder being written.
type Folder struct {
	w    Writer
	path string
}

// Write adds a file to the folder and flushes it.
func (d *Folder) Write(name string, fill func(io.Writer) error) error {
	return d.w.Write(filepath.Join(d.path, name), fill)
}

// WriteDir replaces the folder at path by the files that fill writes. Where it
// fails or the process dies, a complete old or new folder remains at path or
// among Leftovers(path). fill must write last the file by which a reader
// knows a complete folder. Errors name path.
func WriteDir(path string, fill func(*Folder) error) error {
	return Writer{}.WriteDir(path, fill)
}

// WriteDir is the package's WriteDir on w's file system.
func (w Writer) WriteDir(path string, fill func(*Folder) error) error {
	if err := w.writeDir(filepath.Clean(path), fill); err != nil {
		return fmt.Errorf("writing folder %s: %w", path, err)
	}
	return nil
}

func (w Writer) writeDir(path string, fill func(*Folder) error) error {
	fs, parent := w.fs(), filepath.Dir(path)
	if err := fs.MkdirAll(parent); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return errors.New("a file of this name is in the way")
	}
	tmp := path + tmpMark + token()
	if err := fs.MkdirAll(tmp); err != nil {
		return err
	}
	if err := fill(&Folder{w, tmp}); err != nil {
		fs.RemoveAll(tmp)
		return err
	}
	if err := w.adopt(path, tmp); err != nil {
		if _, gone := os.Stat(tmp); gone == nil {
			fs.RemoveAll(tmp)
		}
		return err
	}
	return nil
}

// Adopt puts the folder from, a leftover that turned out to be complete, in the
// place of the folder path, and deletes the other leftovers. If it fails, or the
// process is killed, from or the former folder is still there.
func Adopt(path, from string) error {
	if err := (Writer{}).adopt(filepath.Clean(path), filepath.Clean(from)); err != nil {
		return fmt.Errorf("putting %s in place: %w", path, err)
	}
	return nil
}

func (w Writer) adopt(path, from string) error {
	fs := w.fs()
	stale, err := Leftovers(path)
	if err != nil {
		return err
	}
	stale = slices.DeleteFunc(stale, func(s string) bool { return s == from })
	// The old folder moves to a name of its own, so that nothing has to be
	// deleted before the new one is in place.
	prev := path + prevMark + token()
	switch err := fs.Rename(path, prev); {
	case err == nil:
		stale = append(stale, prev)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	if err := fs.Rename(from, path); err != nil {
		fs.Rename(prev, path) // back to where readers look first
		return err
	}
	if err := fs.SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	for _, old := range stale {
		if err := fs.RemoveAll(old); err != nil {
			return fmt.Errorf("the new folder is in place, but the old one cannot be deleted: %w", err)
		}
	}
	return nil
}

// Leftovers lists the temporary and the former folders beside path that an
// interrupted WriteDir left, sorted by name. Some may be incomplete.
func Leftovers(path string) ([]string, error) {
	path = filepath.Clean(path)
	parent, base := filepath.Split(path)
	if parent == "" {
		parent = "."
	}
	entries, err := os.ReadDir(parent)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base)
		if ok && (strings.HasPrefix(rest, tmpMark) || strings.HasPrefix(rest, prevMark)) {
			found = append(found, filepath.Join(parent, e.Name()))
		}
	}
	sort.Strings(found)
	return found, nil
}

// CheckWritable tells whether files can be written, flushed and renamed in the
// folder dir, which it makes where it is missing. It leaves no file behind.
func CheckWritable(dir string) error {
	if err := OS.MkdirAll(dir); err != nil {
		return fmt.Errorf("folder %s cannot be made: %w", dir, err)
	}
	probe := filepath.Join(dir, ".writable-"+token())
	err := Write(probe, func(w io.Writer) error {
		_, err := io.WriteString(w, "probe")
		return err
	})
	if err == nil {
		err = OS.RemoveAll(probe)
	}
	if err != nil {
		return fmt.Errorf("folder %s is not writable: %w", dir, err)
	}
	return nil
}
