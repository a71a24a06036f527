package study

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/report"
)

// Result is what one run reached. Rates are in percent.
type Result struct {
	Variant string `json:"variant"`
	Seed    int64  `json:"seed"`
	// Top1 is the accuracy after the last epoch, BestTop1 that after the best.
	Top1     float64 `json:"top1"`
	BestTop1 float64 `json:"best_top1"`
	// BestEpoch is that epoch, Epochs the number of all.
	BestEpoch int `json:"best_epoch"`
	Epochs    int `json:"epochs"`
	// StepMillis is the time of one update, the median of the epochs'.
	StepMillis float64 `json:"step_ms"`
	// Diverged says where the loss stopped being a number; "" where it did not.
	Diverged string `json:"diverged,omitempty"`
}

// read takes the figures from a run folder's summary. images is how many an update
// takes.
func (r *Result) read(f report.RunFolder, images int) error {
	_, rows, err := report.ReadSummary(f.Summary())
	if err != nil {
		return err
	}
	var times []float64
	for _, row := range rows {
		top1, _ := row.Metric("top1")
		r.Top1, r.Epochs = top1, row.Epoch
		if r.BestEpoch == 0 || top1 > r.BestTop1 {
			r.BestTop1, r.BestEpoch = top1, row.Epoch
		}
		if row.ImagesPerSecond > 0 {
			times = append(times, 1000*float64(images)/row.ImagesPerSecond)
		}
	}
	r.StepMillis = median(times)
	return nil
}

// Row is what the runs of one variant reached together.
type Row struct {
	Variant string `json:"variant"`
	// Runs are those that are finished, Diverged those of them whose loss stopped being a
	// number, which the means leave out.
	Runs     int `json:"runs"`
	Diverged int `json:"diverged"`
	// Mean and SD are those of the accuracy after the last epoch, BestMean and BestSD
	// of that after the best; the deviation is that of a sample (n-1), and 0 for one run.
	// Without any run they are left out.
	Mean     float64 `json:"top1_mean,omitempty"`
	SD       float64 `json:"top1_sd,omitempty"`
	BestMean float64 `json:"best_top1_mean,omitempty"`
	BestSD   float64 `json:"best_top1_sd,omitempty"`
	Params   int64   `json:"params"`
	MACs     int64   `json:"macs"`
	// StepMillis is the median of the runs' times of an update.
	StepMillis float64 `json:"step_ms,omitempty"`
}

// Table is what a study reached so far.
type Table struct {
	Name    string   `json:"study"`
	Rows    []Row    `json:"variants"`
	Results []Result `json:"runs"`
}

// Table reads the results of the finished runs.
func (s *Study) Table() (Table, error) {
	t := Table{Name: s.Name, Rows: []Row{}, Results: []Result{}}
	runs := s.Runs()
	for i, v := range s.Variants {
		row := Row{Variant: v.Name, Params: s.costs[i].Params, MACs: s.costs[i].MACs}
		var last, best, times []float64
		for _, r := range runs {
			if r.Variant != v.Name {
				continue
			}
			result, err := readResult(filepath.Join(r.Dir, resultName))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return t, err
			}
			t.Results = append(t.Results, result)
			row.Runs++
			if result.Diverged != "" {
				row.Diverged++
				continue
			}
			last, best, times = append(last, result.Top1), append(best, result.BestTop1), append(times, result.StepMillis)
		}
		row.Mean, row.SD = meanSD(last)
		row.BestMean, row.BestSD = meanSD(best)
		row.StepMillis = median(times)
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func readResult(path string) (r Result, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w; remove the file to have the run looked at again", path, err)
	}
	return r, nil
}

// Markdown is the table for people.
func (t Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", t.Name)
	b.WriteString("| variant | runs | top-1, last epoch | top-1, best epoch | parameters | MACs | ms/update |\n|---|---|---|---|---|---|---|\n")
	for _, r := range t.Rows {
		runs := strconv.Itoa(r.Runs)
		if r.Diverged > 0 {
			runs += fmt.Sprintf(", %d diverged", r.Diverged)
		}
		n := r.Runs - r.Diverged
		time := "-"
		if n > 0 {
			time = fmt.Sprintf("%.1f", r.StepMillis)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %.2f M | %s |\n", r.Variant, runs, spread(r.Mean, r.SD, n), spread(r.BestMean, r.BestSD, n), r.Params, float64(r.MACs)/1e6, time)
	}
	return b.String()
}

// spread is a mean of n values and their deviation.
func spread(mean, sd float64, n int) string {
	switch n {
	case 0:
		return "-"
	case 1:
		return fmt.Sprintf("%.2f %%", mean)
	}
	return fmt.Sprintf("%.2f ± %.2f %%", mean, sd)
}

// write replaces the tables of the study's folder.
func (t Table) write(dir string) error {
	if err := atomicfile.Write(filepath.Join(dir, "table.md"), atomicfile.Content([]byte(t.Markdown()))); err != nil {
		return err
	}
	rows := [][]string{{"variant", "runs", "diverged", "top1_mean", "top1_sd", "best_top1_mean", "best_top1_sd", "params", "macs", "step_ms"}}
	for _, r := range t.Rows {
		row := []string{r.Variant, strconv.Itoa(r.Runs), strconv.Itoa(r.Diverged), cell(r.Mean), cell(r.SD), cell(r.BestMean), cell(r.BestSD),
			strconv.FormatInt(r.Params, 10), strconv.FormatInt(r.MACs, 10), cell(r.StepMillis)}
		switch r.Runs - r.Diverged { // what there is none of is empty
		case 0:
			row[3], row[4], row[5], row[6], row[9] = "", "", "", "", ""
		case 1:
			row[4], row[6] = "", ""
		}
		rows = append(rows, row)
	}
	if err := writeCSV(filepath.Join(dir, "table.csv"), rows); err != nil {
		return err
	}
	rows = [][]string{{"variant", "seed", "top1", "best_top1", "best_epoch", "epochs", "step_ms", "diverged"}}
	for _, r := range t.Results {
		rows = append(rows, []string{r.Variant, strconv.FormatInt(r.Seed, 10), cell(r.Top1), cell(r.BestTop1), strconv.Itoa(r.BestEpoch), strconv.Itoa(r.Epochs),
			cell(r.StepMillis), r.Diverged})
	}
	return writeCSV(filepath.Join(dir, "runs.csv"), rows)
}

func writeCSV(path string, rows [][]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}

func cell(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

func meanSD(x []float64) (mean, sd float64) {
	if len(x) == 0 {
		return 0, 0
	}
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(max(len(x)-1, 1)))
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
