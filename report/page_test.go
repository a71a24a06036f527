package report_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
)

// newPage is a page with the summary that it shows.
func newPage(t *testing.T) (both report.Listeners, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "report.html")
	summary := newSummary(t, filepath.Join(dir, "summary.csv"))
	return report.Tee(summary, report.NewPage(path, summary)), path
}

// wellFormed parses the page as XML once its void elements are closed.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	page = regexp.MustCompile(`<meta [^>]*>`).ReplaceAllString(strings.Replace(page, "<!doctype html>", "", 1), "")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
	}
}

func wants(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
}

func TestPage(t *testing.T) {
	both, path := newPage(t)
	play(t, both, started())
	page := text(t, path)
	wellFormed(t, page)
	wants(t, page, "lenet5", "running", "The first epoch is not over yet", "cat, dog")

	last := epoch(3)
	last.Best = false
	last.Confusion = [][]int{{8, 2}, {1, 9}}
	last.PerClass = []report.ClassScore{{Name: "cat", Images: 10, Figures: []report.Metric{{Name: "recall", Value: 88.88}, {Name: "ap", Value: math.NaN()}}}}
	play(t, both, epoch(1), epoch(2),
		&report.Warning{Text: "left out", Names: []string{"a.jpg"}}, last,
		&report.Interrupted{Epoch: 4, Update: 50, ResumeCommand: "trainer train --resume auto"})
	page = text(t, path)
	wellFormed(t, page)
	wants(t, page, "interrupted", "in epoch 4 after 50 updates; to go on: trainer train --resume auto",
		"epoch 2, top1 90.67", // the best one
		`aria-label="Loss by epoch"`, `aria-label="top1 by epoch"`, `aria-label="Learning rate by epoch"`,
		"epoch 3: training 0.6667", // a dot's tip
		"Confusion matrix of epoch 3", `title="cat taken for dog: 20.0%">2<`,
		"<td>cat</td><td>dog</td><td>2</td><td>20.0</td>", // the most frequent confusion
		"<th>images</th><th>recall</th><th>ap</th>", "<td>88.88</td><td>–</td>",
		"left out", "a.jpg", "model: {name: lenet5}")
	if n := strings.Count(page, `<tr class="best">`); n != 1 {
		t.Errorf("%d best rows", n)
	}
}

// TestPageNeedsNothingElse: no script, and nothing that is fetched.
func TestPageNeedsNothingElse(t *testing.T) {
	both, path := newPage(t)
	play(t, both, started(), epoch(1))
	if found := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|@import|url\(|https?:|src=|href=`).FindString(text(t, path)); found != "" {
		t.Errorf("the page has %q", found)
	}
}

func TestPageEscapes(t *testing.T) {
	const evil = `</title></pre></style><script>alert("1")</script>&'`
	both, path := newPage(t)
	run := started()
	run.Model, run.RunDir, run.Config, run.Device = evil, evil, evil, evil
	run.Classes, run.Metrics = []string{evil, "dog"}, []string{evil}
	end := epoch(1)
	end.Metrics = []report.Metric{{Name: evil, Value: 5}}
	end.Confusion = [][]int{{1, 1}, {0, 2}}
	end.PerClass = []report.ClassScore{{Name: evil}}
	play(t, both, run, &report.Warning{Text: evil, Names: []string{evil}}, end, &report.RunFailed{Reason: evil})
	page := text(t, path)
	wellFormed(t, page)
	if strings.Contains(page, "<script") || strings.Contains(page, `("1")`) {
		t.Error("a value reaches the page as it is")
	}
	wants(t, page, "&lt;/title&gt;&lt;/pre&gt;&lt;/style&gt;&lt;script&gt;", "failed")
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the template filters a value that the page needs")
	}
}

func TestPageOfManyClasses(t *testing.T) {
	both, path := newPage(t)
	end := epoch(1)
	end.Confusion = make([][]int, 100)
	for i := range end.Confusion {
		end.Confusion[i] = make([]int, 100)
		end.Confusion[i][i], end.Confusion[i][(i+1)%100] = 50, i
	}
	play(t, both, started(), end)
	page := text(t, path)
	wellFormed(t, page)
	if strings.Contains(page, "Confusion matrix") {
		t.Error("a matrix of 100 classes is shown as a whole")
	}
	wants(t, page, "<td>99</td><td>cat</td><td>99</td><td>66.4</td>")
	if n := strings.Count(page, "</td><td>66."); n > 15 {
		t.Errorf("%d pairs are listed", n)
	}
}

func TestPageKeepsAFewWarnings(t *testing.T) {
	both, path := newPage(t)
	play(t, both, started())
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("image-%04d.jpg", i)
	}
	for range 130 {
		play(t, both, &report.Warning{Text: "left out", Names: names})
	}
	play(t, both, epoch(1))
	page := text(t, path)
	wants(t, page, "image-0099.jpg", "and 900 more", "and 30 more in log.jsonl")
	if strings.Contains(page, "image-0100.jpg") {
		t.Error("all names are listed")
	}
}

func TestPageResumed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	for _, run := range []*report.RunStarted{started(), {Resumed: true, Epoch: 3, Epochs: 12}} {
		summary := newSummary(t, filepath.Join(dir, "summary.csv"))
		both := report.Tee(summary, report.NewPage(path, summary))
		play(t, both, run, epoch(max(run.Epoch, 1)), epoch(run.Epoch+1), epoch(run.Epoch+2))
	}
	page := text(t, path)
	for n := 1; n <= 5; n++ {
		if got := strings.Count(page, fmt.Sprintf("<td>%d</td><td>%d</td>", n, 15*n)); got != 1 {
			t.Errorf("epoch %d stands %d times in the table", n, got)
		}
	}
}
