package report

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Figure(0), "0.0000"},
		{Figure(0.00099), "9.90e-04"},
		{Figure(0.5), "0.5000"},
		{Figure(-97.126), "-97.13"},
		{Figure(123.45), "123.5"},
		{Figure(12345.6), "12346"},
		{Figure(1e9), "1.00e+09"},
		{Figure(math.NaN()), "NaN"},
		{Figure(math.Inf(1)), "+Inf"},
		{rate(0.1), "0.1"},
		{rate(0.012345), "0.0123"},
		{rate(0.00012345), "1.23e-04"},
		{rate(0), "0"},
		{string(appendSpeed(nil, 9.87)), "9.9"},
		{string(appendSpeed(nil, 1234.5)), "1234"},
		{clock(0), "0:00"},
		{clock(59*time.Second + 600*time.Millisecond), "1:00"},
		{clock(3599 * time.Second), "59:59"},
		{clock(100*time.Hour + 2*time.Minute + 3*time.Second), "100:02:03"},
		{count(0), "0"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(-1234567), "-1,234,567"},
		{count(-123), "-123"},
		{plural(1, "image"), "1 image"},
		{plural(0, "image"), "0 images"},
		{size(1023), "1023 B"},
		{size(1024), "1.0 KiB"},
		{size(math.MaxInt64), "8.0 EiB"},
		{printable("plain ä"), "plain ä"},
		{printable("a\x1b[2Jb\n"), `a\x1b[2Jb\n`},
		{wrap("one two three", 7), "one two\nthree"},
		{wrap("unbreakable", 3), "unbreakable"},
		{wrap("", 3), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		n         int
		least     float64
		want      string
	}{
		{0, 1, 5, 0, "[0.0 0.2 0.4 0.6 0.8 1.0]"},
		{-0.004, 0.1, 5, 0, "[0.00 0.05 0.10]"},
		{1, 10, 8, 1, "[2 4 6 8 10]"},
		{1, 2, 8, 1, "[1 2]"},
		{1, 600, 8, 1, "[100 200 300 400 500 600]"},
		{0, 1e-8, 4, 0, "[0 5e-09 1e-08]"},
		{0, 3e7, 4, 0, "[0 1e+07 2e+07 3e+07]"},
	} {
		var labels []string
		for _, tick := range (scale{c.low, c.high, 0, 1}).ticks(c.n, c.least) {
			labels = append(labels, tick.Label)
		}
		if got := fmt.Sprint(labels); got != c.want {
			t.Errorf("ticks from %g to %g: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestChart(t *testing.T) {
	rows := []EpochDone{{Epoch: 1}, {Epoch: 2, Best: true}, {Epoch: 3, Best: true}, {Epoch: 4}}
	nan := math.NaN()
	c, ok := newChart("Loss", rows, series{"a", []float64{0, nan, 10, 5}}, series{"b", []float64{nan, math.Inf(1), nan, nan}})
	if !ok {
		t.Fatal("no chart")
	}
	// The frame is 54..466 by 12..216, with 4 % of room above and below.
	if want := "M54.0 208.4M328.7 19.6L466.0 114.0"; c.Curves[0].Path != want {
		t.Errorf("path %s, want %s: a gap where a figure is missing", c.Curves[0].Path, want)
	}
	if c.Curves[1].Path != "" {
		t.Errorf("a curve without a finite figure has path %s", c.Curves[1].Path)
	}
	if want := []dot{{328.7, 19.6, "epoch 3: a 10.00"}}; !reflect.DeepEqual(c.Marks, want) {
		t.Errorf("marks %v, want %v: the last best epoch only", c.Marks, want)
	}
	if _, ok := newChart("x", rows, series{"b", []float64{nan, nan, nan, nan}}); ok {
		t.Error("a chart of nothing is drawn")
	}
	if c, ok := newChart("x", rows[:1], series{"b", []float64{0}}); !ok || c.Curves[0].Path != "M54.0 114.0" {
		t.Errorf("a single zero gives %v, %+v", ok, c)
	}
}
