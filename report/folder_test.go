package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
)

func TestRunFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "x")
	folder, err := report.CreateRun(dir, []byte("a: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := folder.Listen(1)
	if err != nil {
		t.Fatal(err)
	}
	play(t, files, started(), epoch(1))
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ".tfevents.")
		names = append(names, name)
	}
	want := []string{"checkpoints", "config.yaml", "events.out", "log.jsonl", "report.html", "summary.csv"}
	if !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
	if got := text(t, folder.Config()); got != "a: 1\n" {
		t.Errorf("config.yaml is %q", got)
	}
}

func TestCreateRunRefusesToOverwrite(t *testing.T) {
	for _, c := range []struct{ found, want string }{
		{"config.yaml", "without a checkpoint (it has config.yaml): remove the folder, or give another --output"},
		{"summary.csv", "without a checkpoint (it has summary.csv)"},
		{"log.jsonl", "without a checkpoint (it has log.jsonl)"},
		{"checkpoints/last/meta.json", "already holds a run (it has checkpoints/last): go on with it by --resume auto, or give another --output"},
		{"checkpoints/best/meta.json", "--resume auto"},
	} {
		t.Run(c.found, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, c.found)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := report.CreateRun(dir, []byte("new"))
			if exists := new(report.RunExistsError); !errors.As(err, &exists) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), dir) {
				t.Errorf("error %v; want the folder and %q", err, c.want)
			}
			if got := text(t, path); got != "mine" {
				t.Errorf("%s now holds %q", c.found, got)
			}
		})
	}
}

func TestCreateRunBesideOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := report.CreateRun(dir, nil); err != nil {
		t.Errorf("a folder without a run is refused: %v", err)
	}
}

func TestRunFolderErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, below := report.CreateRun(filepath.Join(file, "run"), nil)
	_, onFile := report.CreateRun(file, nil)
	_, absent := report.ResumeRun(filepath.Join(dir, "absent"), nil)
	_, resumeFile := report.ResumeRun(file, nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{below, "give another --output"},
		{onFile, "give another --output"},
		{absent, "name the --output of the run that should go on"},
		{resumeFile, "it is a file"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || !strings.Contains(c.err.Error(), dir) {
			t.Errorf("error %v, want the path and %q", c.err, c.want)
		}
	}
}

// TestListenFailsBeforeItWrites: a summary that cannot be continued is found
// when a run is about to be resumed, and the files stay as they are.
func TestListenFailsBeforeItWrites(t *testing.T) {
	folder, err := report.ResumeRun(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder.Summary(), []byte("notes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Listen(1); err == nil || !strings.Contains(err.Error(), "summary.csv") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(folder.Log()); !os.IsNotExist(err) {
		t.Errorf("the log was opened: %v", err)
	}
}
