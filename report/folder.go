package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

// RunFolder is where a run keeps its files. The methods without an error are
// paths; they touch no disk.
type RunFolder struct{ Dir string }

// Config is the path of the whole effective configuration, YAML.
func (f RunFolder) Config() string { return filepath.Join(f.Dir, "config.yaml") }

// Summary is the path of the table with one row an epoch.
func (f RunFolder) Summary() string { return filepath.Join(f.Dir, "summary.csv") }

// Log is the path of the events, one JSON object a line.
func (f RunFolder) Log() string { return filepath.Join(f.Dir, "log.jsonl") }

// Page is the path of the report for people.
func (f RunFolder) Page() string { return filepath.Join(f.Dir, "report.html") }

// Checkpoints is the folder of the checkpoints.
func (f RunFolder) Checkpoints() string { return filepath.Join(f.Dir, "checkpoints") }

// Last is the folder of the newest checkpoint.
func (f RunFolder) Last() string { return filepath.Join(f.Checkpoints(), "last") }

// Best is the folder of the checkpoint with the best metric.
func (f RunFolder) Best() string { return filepath.Join(f.Checkpoints(), "best") }

// RunExistsError refuses to start a fresh run where one already lies.
type RunExistsError struct {
	Dir       string
	Found     string // the file that tells
	Resumable bool   // the folder holds a checkpoint
}

// Error names the ways out.
func (e *RunExistsError) Error() string {
	if e.Resumable {
		return fmt.Sprintf("%s already holds a run (it has %s): go on with it by --resume auto, or give another --output", e.Dir, e.Found)
	}
	return fmt.Sprintf("%s already holds a run without a checkpoint (it has %s): remove the folder, or give another --output", e.Dir, e.Found)
}

// CreateRun makes the folder of a fresh run and writes its configuration. A
// folder that holds a run stays as it is, and the error is a RunExistsError.
// Create the folder when everything else is known to be right: nobody wants
// to remove the remains of a run that never began.
func CreateRun(dir string, config []byte) (RunFolder, error) {
	f := RunFolder{dir}
	if err := CheckNoRun(dir); err != nil {
		return RunFolder{}, err
	}
	return f, f.prepare(config)
}

// CheckNoRun refuses a folder that holds a run, as CreateRun does, and makes nothing.
func CheckNoRun(dir string) error {
	f := RunFolder{dir}
	for _, path := range []string{f.Config(), f.Summary(), f.Log(), f.Last(), f.Best()} {
		_, err := os.Lstat(path)
		if err == nil {
			found, _ := filepath.Rel(dir, path)
			return &RunExistsError{dir, found, exists(f.Last()) || exists(f.Best())}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("create the run folder %s: %w; give another --output", dir, err)
		}
	}
	return nil
}

// ResumeRun opens the folder of a run that goes on and writes the
// configuration that is now in force.
func ResumeRun(dir string, config []byte) (RunFolder, error) {
	f := RunFolder{dir}
	if info, err := os.Stat(dir); err != nil {
		return RunFolder{}, fmt.Errorf("resume the run in %s: %w; name the --output of the run that should go on", dir, err)
	} else if !info.IsDir() {
		return RunFolder{}, fmt.Errorf("resume the run in %s: it is a file; name the run folder", dir)
	}
	return f, f.prepare(config)
}

// prepare makes what every run folder has.
func (f RunFolder) prepare(config []byte) error {
	if err := os.MkdirAll(f.Checkpoints(), 0o755); err != nil {
		return fmt.Errorf("create the run folder %s: %w; give another --output", f.Dir, err)
	}
	return atomicfile.Write(f.Config(), atomicfile.Content(config))
}

// Listen returns the listeners that write the files of the folder: summary,
// log, TensorBoard curves and page. Log and curves get the updates once in
// every so many (0: none). Close what is returned.
func (f RunFolder) Listen(every int) (Listeners, error) {
	summary, err := NewSummary(f.Summary())
	if err != nil {
		return nil, err
	}
	log, err := NewLog(f.Log(), every)
	if err != nil {
		return nil, err
	}
	board, err := NewTensorBoard(f.Dir, every)
	if err != nil {
		log.Close()
		return nil, err
	}
	return Tee(log, summary, board, NewPage(f.Page(), summary)), nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
