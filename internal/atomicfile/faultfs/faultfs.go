package faultfs

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

// ErrDead is what every call answers from the chosen step on.
var ErrDead = errors.New("simulated death of the process")

// FS is the real disk until its step is reached.
type FS struct {
	// DieAt is the number of the call, from 0, that fails; negative: none.
	DieAt int
	// Steps counts the calls so far.
	Steps int
}

// dead counts a call and tells whether it comes too late.
func (f *FS) dead() bool {
	n := f.Steps
	f.Steps++
	return f.DieAt >= 0 && n >= f.DieAt
}

func (f *FS) do(call func() error) error {
	if f.dead() {
		return ErrDead
	}
	return call()
}

// Create implements atomicfile.FS.
func (f *FS) Create(path string) (atomicfile.File, error) {
	if f.dead() {
		return nil, ErrDead
	}
	file, err := atomicfile.OS.Create(path)
	return &handle{f, file}, err
}

// MkdirAll implements atomicfile.FS.
func (f *FS) MkdirAll(path string) error {
	return f.do(func() error { return atomicfile.OS.MkdirAll(path) })
}

// Rename implements atomicfile.FS.
func (f *FS) Rename(from, to string) error {
	return f.do(func() error { return atomicfile.OS.Rename(from, to) })
}

// RemoveAll implements atomicfile.FS. At the step of death it deletes one of a
// folder's files.
func (f *FS) RemoveAll(path string) error {
	if f.dead() {
		if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 && f.Steps == f.DieAt+1 {
			atomicfile.OS.RemoveAll(filepath.Join(path, entries[0].Name()))
		}
		return ErrDead
	}
	return atomicfile.OS.RemoveAll(path)
}

// SyncDir implements atomicfile.FS.
func (f *FS) SyncDir(path string) error {
	return f.do(func() error { return atomicfile.OS.SyncDir(path) })
}

type handle struct {
	fs   *FS
	file atomicfile.File
}

// Write leaves half of p behind at the step of death.
func (h *handle) Write(p []byte) (int, error) {
	wasAlive := h.fs.DieAt < 0 || h.fs.Steps <= h.fs.DieAt
	if h.fs.dead() {
		n := 0
		if wasAlive {
			n, _ = h.file.Write(p[:len(p)/2])
		}
		return n, ErrDead
	}
	return h.file.Write(p)
}

func (h *handle) Sync() error { return h.fs.do(h.file.Sync) }

// Close always closes: a dead process holds no file open.
func (h *handle) Close() error {
	err := h.file.Close()
	if h.fs.dead() {
		return ErrDead
	}
	return err
}
