package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

// Study is a study in its folder.
type Study struct {
	*configs.Study
	// Dir is where everything is written.
	Dir string
	// Train trains one configuration in its output.dir; with resume it goes on with the
	// run that is there.
	Train func(ctx context.Context, c configs.Config, resume bool) error

	costs []cost
	by    metric.Choice // compares the variants
}

// cost is what one variant takes.
type cost struct {
	models.Cost
	images int // of an update
}

// Run is one training of a study.
type Run struct {
	// Variant and Seed name it; Number counts from 1, Of is the number of all.
	Variant    string
	Seed       int64
	Number, Of int
	// Dir is its run folder.
	Dir string
	// Done tells that it is finished and Begun that it has a folder already.
	Done, Begun bool
}

// Names of the files.
const (
	resultName  = "result.json"
	variantName = "variant.yaml"
)

// Check builds every variant as it would be trained, so that whatever is wrong with one
// of them is said before any work starts. It also refuses a folder in which a
// variant was trained under other settings.
func (s *Study) Check(dev graph.Device) error {
	s.costs = nil
	for _, v := range s.Variants {
		if err := s.check(v, dev); err != nil {
			return fmt.Errorf("variant %s: %w", v.Name, err)
		}
	}
	return nil
}

func (s *Study) check(v configs.Variant, dev graph.Device) error {
	path := filepath.Join(s.Dir, v.Name, variantName)
	switch old, err := os.ReadFile(path); {
	case err == nil && !bytes.Equal(old, settings(v.Config)):
		return fmt.Errorf("%s tells of other settings than those of now: remove the folder %s, or give another --output", path, filepath.Dir(path))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	job, err := train.OpenJob(v.Config, dev)
	if err != nil {
		return err
	}
	t, err := job.Trainer("", nil)
	if err != nil {
		return err
	}
	if len(s.costs) > 0 && t.BestBy != s.by {
		return fmt.Errorf("its best epoch is chosen by %s and that of variant %s by %s, and a study compares by one figure: set eval.metric for all of them", t.BestBy.Name, s.Variants[0].Name, s.by.Name)
	}
	s.by = t.BestBy
	c := cost{images: min(v.Config.Train.BatchSize, job.TrainData.Len()) * v.Config.Train.GradAccum}
	if _, c.Cost, err = job.Model.Layers(job.Network.Params); err != nil {
		return err
	}
	s.costs = append(s.costs, c)
	return nil
}

// settings are the configuration of a variant without what differs between its runs
// and without what is about the machine.
func settings(c configs.Config) []byte {
	plain := configs.Default()
	c.Train.Seed, c.Output, c.Runtime = plain.Train.Seed, plain.Output, plain.Runtime
	return c.YAML()
}

// Runs lists the trainings of the study: all variants with the first seed, then
// with the next.
func (s *Study) Runs() []Run {
	var runs []Run
	for _, seed := range s.Seeds {
		for _, v := range s.Variants {
			r := Run{Variant: v.Name, Seed: seed, Number: len(runs) + 1, Of: len(s.Seeds) * len(s.Variants),
				Dir: filepath.Join(s.Dir, v.Name, "seed-"+strconv.FormatInt(seed, 10))}
			r.Done, r.Begun = exists(filepath.Join(r.Dir, resultName)), exists(report.RunFolder{Dir: r.Dir}.Config())
			runs = append(runs, r)
		}
	}
	return runs
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Run trains what is not finished, after Check, and writes the tables after each run.
// about hears of a run before it starts, and after it with what it reached. A run
// that diverges is a result of the study, not its end.
func (s *Study) Run(ctx context.Context, about func(Run, *Result)) (Table, error) {
	for _, r := range s.Runs() {
		if r.Done {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Table{}, errors.Join(train.ErrInterrupted, err)
		}
		about(r, nil)
		result, err := s.run(ctx, r)
		if err != nil {
			return Table{}, err
		}
		about(r, &result)
		t, err := s.Table()
		if err != nil {
			return t, err
		}
		if err := t.write(s.Dir); err != nil {
			return t, err
		}
	}
	return s.Table()
}

// variant is the place of a variant.
func (s *Study) variant(name string) int {
	return slices.IndexFunc(s.Variants, func(v configs.Variant) bool { return v.Name == name })
}

// run trains one variant with one seed and writes what it reached.
func (s *Study) run(ctx context.Context, r Run) (result Result, err error) {
	at := s.variant(r.Variant)
	c := s.Variants[at].Config
	if err := os.MkdirAll(filepath.Dir(r.Dir), 0o755); err != nil {
		return result, fmt.Errorf("the study's folder: %w; give another --output", err)
	}
	if err := atomicfile.Write(filepath.Join(filepath.Dir(r.Dir), variantName), atomicfile.Content(settings(c))); err != nil {
		return result, err
	}
	c.Train.Seed, c.Output.Dir = r.Seed, r.Dir
	result = Result{Variant: r.Variant, Seed: r.Seed}
	err = s.Train(ctx, c, r.Begun)
	var diverged *train.NonFiniteError
	switch {
	case errors.As(err, &diverged):
		result.Diverged = diverged.Error()
	case err != nil:
		return result, fmt.Errorf("variant %s, seed %d: %w", r.Variant, r.Seed, err)
	}
	if err := result.read(report.RunFolder{Dir: r.Dir}, s.by, s.costs[at].images); err != nil {
		return result, err
	}
	text, err := json.MarshalIndent(result.object(s.by.Name), "", "  ")
	if err != nil {
		return result, err
	}
	return result, atomicfile.Write(filepath.Join(r.Dir, resultName), atomicfile.Content(append(text, '\n')))
}
