package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/internal/atomicfile/faultfs"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func ExampleWrite() {
	dir, _ := os.MkdirTemp("", "atomicfile")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "notes.txt")
	err := atomicfile.Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "whole or not at all")
		return err
	})
	b, _ := os.ReadFile(path)
	fmt.Print(string(b), err)
	// Output:
	// whole or not at all
	// <nil>
}

func TestWriteReplacesAndLeavesNothingBeside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, s := range []string{"one", "two"} {
		if err := atomicfile.Write(path, text(s)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != s {
			t.Errorf("content %q, want %q", got, s)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("the folder holds %v, want f alone", entries)
	}
}

func TestWriteKeepsTheOldFileWhenFillFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := atomicfile.Write(path, text("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no more data")
	err := atomicfile.Write(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the path and the cause", err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("content %q, want old", got)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("the folder holds %v, want f alone", entries)
	}
}

func TestWriteSurvivesDeathAtEveryStep(t *testing.T) {
	for step := 0; ; step++ {
		path := filepath.Join(t.TempDir(), "f")
		if err := atomicfile.Write(path, text("old")); err != nil {
			t.Fatal(err)
		}
		disk := &faultfs.FS{DieAt: step}
		err := atomicfile.Writer{FS: disk}.Write(path, text("new"))
		if got := content(t, path); got != "new" && got != "old" {
			t.Errorf("dead at step %d: content %q", step, got)
		}
		if err == nil {
			if step < 5 {
				t.Errorf("only %d steps: the fault was never met", step)
			}
			return
		}
	}
}

// readDir reads a folder as a recovering reader does: at its path, else among
// the leftovers, where only one with the file "mark" is complete.
func readDir(path string) string {
	left, _ := atomicfile.Leftovers(path)
	for _, p := range append([]string{path}, left...) {
		a, errA := os.ReadFile(filepath.Join(p, "a"))
		m, errM := os.ReadFile(filepath.Join(p, "mark"))
		if errA == nil && errM == nil && string(a) == string(m) {
			return string(a)
		}
	}
	return ""
}

func fillWith(s string) func(*atomicfile.Folder) error {
	return func(d *atomicfile.Folder) error {
		if err := d.Write("a", text(s)); err != nil {
			return err
		}
		return d.Write("mark", text(s))
	}
}

func TestWriteDirSurvivesDeathAtEveryStep(t *testing.T) {
	for step := 0; ; step++ {
		path := filepath.Join(t.TempDir(), "parent", "last")
		if err := atomicfile.WriteDir(path, fillWith("old")); err != nil {
			t.Fatal(err)
		}
		disk := &faultfs.FS{DieAt: step}
		err := atomicfile.Writer{FS: disk}.WriteDir(path, fillWith("new"))
		if got := readDir(path); got != "new" && got != "old" {
			t.Errorf("dead at step %d: read %q", step, got)
		}
		// A second death during the next write must not lose it either.
		for again := 0; again < disk.Steps; again++ {
			atomicfile.Writer{FS: &faultfs.FS{DieAt: again}}.WriteDir(path, fillWith("third"))
			if got := readDir(path); got == "" {
				t.Fatalf("dead at steps %d and %d: nothing complete is left", step, again)
			}
		}
		if err := atomicfile.WriteDir(path, fillWith("last")); err != nil {
			t.Fatalf("after death at step %d: %v", step, err)
		}
		if left, _ := atomicfile.Leftovers(path); len(left) != 0 || readDir(path) != "last" {
			t.Errorf("after death at step %d: read %q, left over %v", step, readDir(path), left)
		}
		if err == nil {
			if step < 15 {
				t.Errorf("only %d steps: the fault was never met", step)
			}
			return
		}
	}
}

func TestWriteDirRefusesAFileInTheWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last")
	if err := os.WriteFile(path, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.WriteDir(path, fillWith("new")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name %s", err, path)
	}
	if got := content(t, path); got != "mine" {
		t.Errorf("the file in the way now holds %q", got)
	}
}

func TestCheckWritable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := atomicfile.CheckWritable(dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v (%v), want nothing", entries, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "runs")
	if err := atomicfile.CheckWritable(below); err == nil || !strings.Contains(err.Error(), below) {
		t.Errorf("error %v does not name %s", err, below)
	}
}
