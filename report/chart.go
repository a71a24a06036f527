package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The size of a chart and of its frame, in units of its SVG view box.
const (
	chartWidth, chartHeight = 480.0, 250.0
	chartLeft, chartRight   = 54.0, chartWidth - 14
	chartTop, chartBottom   = 12.0, chartHeight - 34
	chartDots               = 120 // epochs up to which each one has a dot to point at
)

// chart is curves over epochs, laid out for the SVG of page.gohtml.
type chart struct {
	Title          string
	XTicks, YTicks []tick
	Curves         []curve
	Marks          []dot // the best epoch, on each curve
}

type tick struct {
	At    float64
	Label string
}

type curve struct {
	Name string
	Path string // SVG path data
	Dots []dot
}

type dot struct {
	X, Y float64
	Tip  string
}

// series is the figures of a curve by row; NaN where there is none.
type series struct {
	name   string
	values []float64
}

// newChart lays curves out over the rows; ok is false where no figure is finite.
func newChart(title string, rows []EpochDone, all ...series) (c chart, ok bool) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		for _, v := range s.values {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		return chart{}, false
	}
	if low == high { // a flat curve runs through the middle
		margin := max(math.Abs(low)/10, 1e-9)
		low, high = low-margin, high+margin
	}
	margin := (high - low) * 0.04
	first, last := float64(rows[0].Epoch), float64(rows[len(rows)-1].Epoch)
	x := scale{first, max(last, first+1), chartLeft, chartRight}
	y := scale{low - margin, high + margin, chartBottom, chartTop}

	c = chart{Title: title, XTicks: x.ticks(8, 1), YTicks: y.ticks(5, 0)}
	for _, s := range all {
		line := curve{Name: s.name}
		var path strings.Builder
		pen := "M"
		for i, v := range s.values {
			if !finite(v) {
				pen = "M" // a gap
				continue
			}
			d := dot{x.at(float64(rows[i].Epoch)), y.at(v), fmt.Sprintf("epoch %d: %s %s", rows[i].Epoch, s.name, Figure(v))}
			fmt.Fprintf(&path, "%s%.1f %.1f", pen, d.X, d.Y)
			pen = "L"
			if len(rows) <= chartDots {
				line.Dots = append(line.Dots, d)
			}
			if rows[i].Best && i == lastBest(rows) {
				c.Marks = append(c.Marks, d)
			}
		}
		line.Path = path.String()
		c.Curves = append(c.Curves, line)
	}
	return c, true
}

// lastBest is the row of the best epoch, -1 without one.
func lastBest(rows []EpochDone) int {
	for i := len(rows) - 1; i >= 0; i-- {
		if rows[i].Best {
			return i
		}
	}
	return -1
}

// scale maps figures from low to high onto places from start to end.
type scale struct{ low, high, start, end float64 }

func (s scale) at(v float64) float64 {
	place := s.start + (v-s.low)/(s.high-s.low)*(s.end-s.start)
	return math.Round(place*10) / 10
}

// ticks are round figures along the scale: steps of 1, 2 or 5 times a power
// of ten, at most about n of them and no closer than least.
func (s scale) ticks(n int, least float64) []tick {
	step := max((s.high-s.low)/float64(n), least)
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*power >= step*(1-1e-9) {
			step = m * power
			break
		}
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	format := byte('f')
	if decimals > 5 || step >= 1e6 {
		format, decimals = 'g', 3
	}
	var ticks []tick
	for i := math.Ceil(s.low/step - 1e-9); i*step <= s.high+step*1e-9; i++ {
		v := i*step + 0 // not -0
		ticks = append(ticks, tick{s.at(v), strconv.FormatFloat(v, format, decimals, 64)})
	}
	return ticks
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
