package study

import (
	"cmp"
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
	"github.com/seed52467199/trainer/train/metric"
)

// Result is what one run reached.
type Result struct {
	Variant string `json:"variant"`
	Seed    int64  `json:"seed"`
	// Last is the figure that compares after the last epoch, Best that after the best; not
	// a number where no epoch came to its end.
	Last float64 `json:"-"`
	Best float64 `json:"-"`
	// BestEpoch is that epoch, Epochs the number of all.
	BestEpoch int `json:"best_epoch"`
	Epochs    int `json:"epochs"`
	// StepMillis is the time of one update, the median of the epochs'.
	StepMillis float64 `json:"step_ms"`
	// Diverged says where the loss stopped being a number; "" where it did not.
	Diverged string `json:"diverged"`
}

// read takes the figures from a run folder's summary. images is how many an update
// takes.
func (r *Result) read(f report.RunFolder, by metric.Choice, images int) error {
	_, rows, err := report.ReadSummary(f.Summary())
	if err != nil {
		return err
	}
	var times []float64
	r.Last, r.Best = math.NaN(), math.NaN()
	for _, row := range rows {
		v, ok := row.Metric(by.Name)
		if by.Name == metric.Loss {
			v, ok = row.EvalLoss, true
		}
		if !ok {
			return fmt.Errorf("%s: %s, by which the study compares, is not defined on the validation data of epoch %d: choose another eval.metric, and another --output", f.Summary(), by.Name, row.Epoch)
		}
		r.Last, r.Epochs = v, row.Epoch
		if row.Best {
			r.Best, r.BestEpoch = v, row.Epoch
		}
		if row.ImagesPerSecond > 0 {
			times = append(times, 1000*float64(images)/row.ImagesPerSecond)
		}
	}
	r.StepMillis = median(times)
	return nil
}

// object is a result's JSON. The figure goes by its name: top1 and best_top1.
func (r Result) object(figure string) map[string]any {
	o := map[string]any{"variant": r.Variant, "seed": r.Seed, "best_epoch": r.BestEpoch, "epochs": r.Epochs, "step_ms": r.StepMillis}
	if r.Epochs > 0 {
		o[figure], o["best_"+figure] = r.Last, r.Best
	}
	if r.Diverged != "" {
		o["diverged"] = r.Diverged
	}
	return o
}

// Row is what the runs of one variant reached together.
type Row struct {
	Variant string
	// Runs are those that are finished, Diverged those of them whose loss stopped being a
	// number, which the means leave out.
	Runs, Diverged int
	// Mean and SD are those of the figure after the last epoch, BestMean and BestSD
	// of that after the best; the deviation is that of a sample (n-1), and 0 for one run.
	// Without any run they are 0.
	Mean, SD         float64
	BestMean, BestSD float64
	Params, MACs     int64
	// StepMillis is the median of the runs' times of an update.
	StepMillis float64
}

// measured is how many runs the means are of.
func (r Row) measured() int { return r.Runs - r.Diverged }

// object is a row's JSON. The figure goes by its name: top1_mean, top1_sd and so on; what
// there is none of is left out.
func (r Row) object(figure string) map[string]any {
	o := map[string]any{"variant": r.Variant, "runs": r.Runs, "diverged": r.Diverged, "params": r.Params, "macs": r.MACs}
	if r.measured() > 0 {
		o[figure+"_mean"], o["best_"+figure+"_mean"], o["step_ms"] = r.Mean, r.BestMean, r.StepMillis
	}
	if r.measured() > 1 {
		o[figure+"_sd"], o["best_"+figure+"_sd"] = r.SD, r.BestSD
	}
	return o
}

// Table is what a study reached so far.
type Table struct {
	Name string
	// By is the figure that compares: the one that chooses the best epoch.
	By      metric.Choice
	Rows    []Row
	Results []Result
}

// MarshalJSON gives the name (study), the figure and whether less of it is better (figure,
// lower_is_better), the rows (variants) and the results (runs).
func (t Table) MarshalJSON() ([]byte, error) {
	rows, runs := []map[string]any{}, []map[string]any{}
	for _, r := range t.Rows {
		rows = append(rows, r.object(t.By.Name))
	}
	for _, r := range t.Results {
		runs = append(runs, r.object(t.By.Name))
	}
	return json.Marshal(map[string]any{"study": t.Name, "figure": t.By.Name, "lower_is_better": t.By.Lower, "variants": rows, "runs": runs})
}

// Table reads the results of the finished runs.
func (s *Study) Table() (Table, error) {
	t := Table{Name: s.Name, By: s.by}
	runs := s.Runs()
	for i, v := range s.Variants {
		row := Row{Variant: v.Name, Params: s.costs[i].Params, MACs: s.costs[i].MACs}
		var last, best, times []float64
		for _, r := range runs {
			if r.Variant != v.Name {
				continue
			}
			result, err := readResult(filepath.Join(r.Dir, resultName), s.by.Name)
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
			last, best, times = append(last, result.Last), append(best, result.Best), append(times, result.StepMillis)
		}
		row.Mean, row.SD = meanSD(last)
		row.BestMean, row.BestSD = meanSD(best)
		row.StepMillis = median(times)
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func readResult(path, figure string) (r Result, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	var all map[string]any
	if err := cmp.Or(json.Unmarshal(text, &r), json.Unmarshal(text, &all)); err != nil {
		return r, fmt.Errorf("%s: %w; remove the file to have the run looked at again", path, err)
	}
	last, measured := all[figure].(float64)
	best, ok := all["best_"+figure].(float64)
	if r.Diverged == "" && !(measured && ok) {
		return r, fmt.Errorf("%s does not tell %s and best_%s; remove the file to have the run looked at again", path, figure, figure)
	}
	r.Last, r.Best = last, best
	return r, nil
}

// Markdown is the table for people.
func (t Table) Markdown() string {
	var b strings.Builder
	title := metric.Title(t.By.Name)
	if t.By.Lower {
		title += " (less is better)"
	}
	fmt.Fprintf(&b, "# %s\n\n", t.Name)
	fmt.Fprintf(&b, "| variant | runs | %s, last epoch | %s, best epoch | parameters | MACs | ms/update |\n|---|---|---|---|---|---|---|\n", title, title)
	for _, r := range t.Rows {
		runs := strconv.Itoa(r.Runs)
		if r.Diverged > 0 {
			runs += fmt.Sprintf(", %d diverged", r.Diverged)
		}
		n := r.measured()
		time := "-"
		if n > 0 {
			time = fmt.Sprintf("%.1f", r.StepMillis)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %.2f M | %s |\n", r.Variant, runs, t.spread(r.Mean, r.SD, n), t.spread(r.BestMean, r.BestSD, n), r.Params, float64(r.MACs)/1e6, time)
	}
	return b.String()
}

// spread is a mean of n values and their deviation.
func (t Table) spread(mean, sd float64, n int) string {
	text, unit := report.Figure, ""
	if metric.Percent(t.By.Name) {
		text, unit = func(v float64) string { return fmt.Sprintf("%.2f", v) }, " %"
	}
	switch n {
	case 0:
		return "-"
	case 1:
		return text(mean) + unit
	}
	return text(mean) + " ± " + text(sd) + unit
}

// write replaces the tables of the study's folder.
func (t Table) write(dir string) error {
	if err := atomicfile.Write(filepath.Join(dir, "table.md"), atomicfile.Content([]byte(t.Markdown()))); err != nil {
		return err
	}
	last, best := t.By.Name, "best_"+t.By.Name
	rows := [][]string{{"variant", "runs", "diverged", last + "_mean", last + "_sd", best + "_mean", best + "_sd", "params", "macs", "step_ms"}}
	for _, r := range t.Rows {
		row := []string{r.Variant, strconv.Itoa(r.Runs), strconv.Itoa(r.Diverged), cell(r.Mean), cell(r.SD), cell(r.BestMean), cell(r.BestSD),
			strconv.FormatInt(r.Params, 10), strconv.FormatInt(r.MACs, 10), cell(r.StepMillis)}
		switch r.measured() { // what there is none of is empty
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
	rows = [][]string{{"variant", "seed", last, best, "best_epoch", "epochs", "step_ms", "diverged"}}
	for _, r := range t.Results {
		row := []string{r.Variant, strconv.FormatInt(r.Seed, 10), cell(r.Last), cell(r.Best), strconv.Itoa(r.BestEpoch), strconv.Itoa(r.Epochs), cell(r.StepMillis), r.Diverged}
		if r.Epochs == 0 {
			row[2], row[3] = "", ""
		}
		rows = append(rows, row)
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
