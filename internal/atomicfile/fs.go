package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// FS is the set of calls that change a disk. Each is one step at which a
// process may die; tests stand in a file system that dies at a chosen one.
type FS interface {
	// Create makes a new file; it fails where the path exists.
	Create(path string) (File, error)
	// MkdirAll makes a folder and its parents; an existing one is no error.
	MkdirAll(path string) error
	// Rename moves a file over another one, or a folder to a free name.
	Rename(from, to string) error
	// RemoveAll deletes a file or a folder with its content.
	RemoveAll(path string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(path string) error
}

// File is a file being written.
type File interface {
	io.Writer
	// Sync makes the content durable.
	Sync() error
	Close() error
}

// OS is the real disk.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Create(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}
func (osFS) MkdirAll(path string) error   { return os.MkdirAll(path, 0o777) }
func (osFS) Rename(from, to string) error { return os.Rename(from, to) }
func (osFS) RemoveAll(path string) error  { return os.RemoveAll(path) }

func (osFS) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened for flushing there; NTFS journals its names
	}
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
