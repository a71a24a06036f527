package report

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

const (
	plotWidth, plotHeight = 9 * vg.Inch, 5.5 * vg.Inch
	plotDPI               = 144 // of a PNG
	titleColumns          = 95  // at which the title of an LR curve wraps
)

var (
	ink     = color.NRGBA{0x1d, 0x23, 0x30, 0xff}
	soft    = color.NRGBA{0x66, 0x70, 0x85, 0xff}
	rawLine = color.NRGBA{0xa9, 0xb8, 0xd6, 0xff}
	band    = color.NRGBA{0xe6, 0xec, 0xf7, 0xff}
	// palette is told apart by people who do not tell red from green, too
	// (Okabe and Ito, 2008).
	palette = []color.NRGBA{
		{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
		{0xb0, 0x50, 0x8c, 0xff}, {0x8a, 0x6d, 0x00, 0xff}, {0x33, 0x33, 0x33, 0xff},
	}
)

// LRCurve is the result of an LR range test.
type LRCurve struct {
	Points      []LRPoint // raw and smoothed loss; those that are not finite are not drawn
	Low, High   []float64 // where the points are means, the least and the greatest loss of each; else nil
	Loss        string    // what the losses are; empty is the training loss
	Suggestions []Mark
	Verdict     string // a sentence for the title
}

// Mark is a named learning rate.
type Mark struct {
	Name string
	LR   float64
}

// LinePlot is lines over common axes.
type LinePlot struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool // logarithmic; points that are not positive are not drawn
	Lines                 []Line
}

// Line is a named line of a LinePlot; X and Y have the same length.
type Line struct {
	Name string
	X, Y []float64
}

// PlotLRCurve draws loss over learning rate, the rate on a logarithmic axis,
// with a flag at each suggestion. The path's ending, .svg or .png, is the format.
func PlotLRCurve(path string, c LRCurve) error {
	var rates, raw, smoothed []float64
	for _, p := range c.Points {
		rates, raw, smoothed = append(rates, p.LR), append(raw, p.Loss), append(smoothed, p.Smoothed)
	}
	p := newPlot(wrap("LR range test: "+c.Verdict, titleColumns), "learning rate", cmp.Or(c.Loss, "loss"))
	logarithmic(&p.X)
	name := "each batch"
	switch {
	case len(c.Low) > 0:
		name = "mean of the sweeps"
	case c.Loss != "":
		name = "each step"
	}
	batches := points(Line{name, rates, raw}, p)
	mean := points(Line{"smoothed", rates, smoothed}, p)
	if len(batches) == 0 || len(mean) == 0 {
		return fmt.Errorf("plot %s: the LR range test has no step with a finite loss at a positive rate", path)
	}
	low, high := lossRange(mean, batches)
	if len(c.Low) > 0 {
		bottom, top := points(Line{"", rates, c.Low}, p), points(Line{"", rates, c.High}, p)
		if err := addBand(p, "all sweeps", within(bottom, low, high), within(top, low, high)); err != nil {
			return fmt.Errorf("plot %s: %w", path, err)
		}
	}
	if err := addLine(p, name, batches, rawLine, 1); err != nil {
		return fmt.Errorf("plot %s: %w", path, err)
	}
	if err := addLine(p, "smoothed", mean, palette[0], 2); err != nil {
		return fmt.Errorf("plot %s: %w", path, err)
	}
	p.Y.Min, p.Y.Max = low, high

	var marks flags
	for _, m := range c.Suggestions {
		if m.LR > 0 && finite(m.LR) {
			marks = append(marks, m)
			p.X.Min, p.X.Max = min(p.X.Min, m.LR), max(p.X.Max, m.LR)
		}
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.LR, b.LR) })
	p.Add(marks)
	openLog(&p.X)
	return writePlot(path, p)
}

// PlotLines draws lines such as learning-rate schedules. The path's ending,
// .svg or .png, is the format.
func PlotLines(path string, l LinePlot) error {
	p := newPlot(l.Title, l.XLabel, l.YLabel)
	if l.LogX {
		logarithmic(&p.X)
	}
	if l.LogY {
		logarithmic(&p.Y)
	}
	drawn := false
	for i, line := range l.Lines {
		if len(line.X) != len(line.Y) {
			return fmt.Errorf("plot %s: line %q has %d x and %d y values; they must be as many", path, line.Name, len(line.X), len(line.Y))
		}
		xys := points(line, p)
		if len(xys) == 0 {
			continue
		}
		drawn = true
		name := line.Name
		if len(l.Lines) == 1 {
			name = "" // the title says it
		}
		if err := addLine(p, name, xys, palette[i%len(palette)], 2); err != nil {
			return fmt.Errorf("plot %s: %w", path, err)
		}
	}
	if !drawn {
		return fmt.Errorf("plot %s: no line has a point that can be drawn", path)
	}
	if !l.LogY {
		p.Y.Min, p.Y.Max = widen(p.Y.Min, p.Y.Max, 0.05)
	}
	openLog(&p.X)
	openLog(&p.Y)
	p.Legend.Left, p.Legend.Top = false, true
	p.Legend.XOffs, p.Legend.YOffs = -10, -8
	return writePlot(path, p)
}

// newPlot is an empty plot in the one style of this package.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = 10, 4, 6
	for _, s := range []*draw.TextStyle{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle,
		&p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		s.Font.Variant, s.Font.Size, s.Color = "Sans", 10, ink
	}
	p.Title.TextStyle.Font.Size = 12
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color, a.Tick.LineStyle.Color, a.Tick.Label.Color = soft, soft, soft
		a.Padding = 0
	}
	p.Legend.Left, p.Legend.Padding = true, 3
	p.Legend.XOffs, p.Legend.YOffs = 10, 8
	grid := plotter.NewGrid()
	grid.Vertical.Color = color.NRGBA{0xec, 0xee, 0xf2, 0xff}
	grid.Horizontal.Color = grid.Vertical.Color
	p.Add(grid)
	return p
}

func logarithmic(a *plot.Axis) { a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{} }

// openLog makes a range of a logarithmic axis that has a single value.
func openLog(a *plot.Axis) {
	if _, log := a.Scale.(plot.LogScale); log && a.Min == a.Max {
		a.Min, a.Max = a.Min/2, a.Max*2
	}
}

// points keeps what the axes can show.
func points(l Line, p *plot.Plot) plotter.XYs {
	shows := func(a plot.Axis, v float64) bool {
		_, log := a.Scale.(plot.LogScale)
		return finite(v) && (!log || v > 0)
	}
	var xys plotter.XYs
	for i := range l.X {
		if shows(p.X, l.X[i]) && shows(p.Y, l.Y[i]) {
			xys = append(xys, plotter.XY{X: l.X[i], Y: l.Y[i]})
		}
	}
	return xys
}

func addLine(p *plot.Plot, name string, xys plotter.XYs, c color.Color, width vg.Length) error {
	line, err := plotter.NewLine(xys)
	if err != nil {
		return err
	}
	line.Color, line.Width = c, width
	p.Add(line)
	if name != "" {
		p.Legend.Add(name, line)
	}
	return nil
}

// within cuts a line at two levels: a filled area, unlike a line, is not cut at the
// edge of the plot.
func within(line plotter.XYs, low, high float64) plotter.XYs {
	for i := range line {
		line[i].Y = min(max(line[i].Y, low), high)
	}
	return line
}

// addBand fills what lies between two lines.
func addBand(p *plot.Plot, name string, low, high plotter.XYs) error {
	slices.Reverse(high)
	area, err := plotter.NewPolygon(append(low, high...))
	if err != nil {
		return err
	}
	area.Color, area.LineStyle.Width = band, 0
	p.Add(area)
	p.Legend.Add(name, area)
	return nil
}

// lossRange is the part of the loss axis worth seeing: down to the least loss. At the
// top the smoothed line decides, since single batches may be far off; and where it
// diverges it is cut, so that its fall, which is what the test is for, takes half of
// the height.
func lossRange(smoothed, raw plotter.XYs) (low, high float64) {
	at := 0
	for i := range smoothed {
		if smoothed[i].Y < smoothed[at].Y {
			at = i
		}
	}
	_, _, low, high = plotter.XYRange(smoothed)
	_, _, least, _ := plotter.XYRange(raw)
	low = min(low, least)
	_, _, _, before := plotter.XYRange(smoothed[:at+1])
	return widen(low, min(high, low+max(2*(before-low), 0.25*(high-low))), 0.12)
}

// widen adds a fraction of the range on both sides, and makes a range of a point.
func widen(low, high, by float64) (float64, float64) {
	margin := by * (high - low)
	if margin == 0 {
		margin = max(math.Abs(low)*0.1, 1e-9)
	}
	return low - margin, high + margin
}

// wrap breaks a text between words so that its lines are no longer than columns.
func wrap(text string, columns int) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case length+1+n > columns:
			b.WriteByte('\n')
			length = 0
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}

// writePlot draws in the format of the path's ending. The file is written last.
func writePlot(path string, p *plot.Plot) error {
	var out interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".svg":
		out = vgsvg.New(plotWidth, plotHeight)
	case ".png":
		out = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(plotWidth, plotHeight), vgimg.UseDPI(plotDPI))}
	default:
		return fmt.Errorf("plot %s: the format %q is unknown; let the name end in .svg or .png", path, ending)
	}
	canvas := draw.New(out)
	p.Draw(draw.Crop(canvas, 12, -22, 10, -12))
	var image bytes.Buffer
	if _, err := out.WriteTo(&image); err != nil {
		return fmt.Errorf("plot %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := image.WriteTo(w)
		return err
	})
}

// logTicks marks 1 to 9 of every decade and labels the first of each; over
// less than two decades, also 2 and 5.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	narrow := high/low < 100
	var ticks []plot.Tick
	for d := math.Floor(math.Log10(low)); d <= math.Ceil(math.Log10(high)); d++ {
		for i := 1; i <= 9; i++ {
			t := plot.Tick{Value: float64(i) * math.Pow(10, d)}
			if i == 1 || narrow && (i == 2 || i == 5) {
				t.Label = fmt.Sprintf("%.0e", t.Value)
				if d >= -3 && d <= 3 {
					t.Label = fmt.Sprintf("%g", math.Round(t.Value*1e4)/1e4)
				}
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// flags are marks on the x axis, smallest first: vertical lines that end in a
// label above the data. The leftmost is the highest, so that no label is crossed
// by a line.
type flags []Mark

const flagHeight vg.Length = 14

func (f flags) label(i int) string { return f[i].Name + "  " + rate(f[i].LR) }

func (f flags) style(p *plot.Plot, i int) draw.TextStyle {
	s := p.Legend.TextStyle
	s.Color = f.color(i)
	return s
}

func (f flags) color(i int) color.Color { return palette[1+i%(len(palette)-1)] }

// rise is how far flag i stands above the data.
func (f flags) rise(i int) vg.Length { return flagHeight * vg.Length(len(f)-i) }

// Plot implements plot.Plotter.
func (f flags) Plot(c draw.Canvas, p *plot.Plot) {
	for i, m := range f {
		x, top := c.X(p.X.Norm(m.LR)), c.Max.Y+f.rise(i)
		dashes := draw.LineStyle{Color: f.color(i), Width: 1.25, Dashes: []vg.Length{4, 3}}
		c.StrokeLine2(dashes, x, c.Min.Y, x, top)
		c.FillText(f.style(p, i), vg.Point{X: x + 4, Y: top - flagHeight + 4}, f.label(i))
	}
}

// GlyphBoxes implements plot.GlyphBoxer: the room that the labels need.
func (f flags) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for i, m := range f {
		width := f.style(p, i).Width(f.label(i)) + 6
		boxes = append(boxes, plot.GlyphBox{
			X: p.X.Norm(m.LR), Y: 1,
			Rectangle: vg.Rectangle{Max: vg.Point{X: width, Y: f.rise(i)}},
		})
	}
	return boxes
}
