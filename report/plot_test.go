package report_test

import (
	"encoding/xml"
	"image"
	_ "image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
)

// rangeTest is a curve as a range test gives it: a fall, a rise, a last NaN.
func rangeTest() report.LRCurve {
	c := report.LRCurve{
		Verdict:     "a clear valley <& a steep rise>",
		Suggestions: []report.Mark{{Name: "valley", LR: 0.01}, {Name: "min10", LR: 0.02}, {Name: "steepest", LR: 0.01}, {Name: "turn10", LR: 1e-6}},
	}
	for i := range 50 {
		lr := 1e-5 * math.Pow(10, float64(i)/10)
		loss := 2 - 1/(1+0.02/lr) + lr*lr
		c.Points = append(c.Points, report.LRPoint{Step: i + 1, Steps: 51, LR: lr, Loss: loss + 0.1*math.Sin(float64(7*i)), Smoothed: loss})
	}
	c.Points = append(c.Points, report.LRPoint{Step: 51, Steps: 51, LR: 1, Loss: math.NaN(), Smoothed: math.Inf(1)})
	return c
}

// svgTexts returns the texts of an SVG and fails if it is not well-formed.
func svgTexts(t *testing.T, path string) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text(t, path)))
	var texts []string
	inside := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatalf("%s is not well-formed: %v", path, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				texts = append(texts, string(token))
			}
		}
	}
}

func TestPlotLRCurveSVG(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lr.svg")
	if err := report.PlotLRCurve(path, rangeTest()); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(svgTexts(t, path), "|")
	for _, want := range []string{
		"LR range test: a clear valley <& a steep rise>", "learning rate", "loss", "each batch", "smoothed",
		"valley  0.01", "min10  0.02", "steepest  0.01", "turn10  1.00e-06", "0.001",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the plot lacks the text %q; it has %s", want, all)
		}
	}
}

// The band of several sweeps is drawn where the losses are worth seeing, however far
// one of them goes.
func TestPlotLRCurveBand(t *testing.T) {
	c := rangeTest()
	for i, p := range c.Points {
		c.Low, c.High = append(c.Low, p.Smoothed-0.1), append(c.High, p.Smoothed+0.1+math.Pow(1e3*p.LR, 9))
		c.Points[i].Loss = p.Smoothed
	}
	c.Loss = "held-out loss"
	path := filepath.Join(t.TempDir(), "lr.svg")
	if err := report.PlotLRCurve(path, c); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(svgTexts(t, path), "|")
	for _, want := range []string{"held-out loss", "mean of the sweeps", "all sweeps"} {
		if !strings.Contains(all, want) {
			t.Errorf("the plot lacks the text %q; it has %s", want, all)
		}
	}
	if strings.Contains(text(t, path), "NaN") || strings.Contains(text(t, path), "e+") {
		t.Error("the plot has a place that is no number, or far outside")
	}
}

func TestPlotLRCurvePNG(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lr.PNG")
	if err := report.PlotLRCurve(path, rangeTest()); err != nil {
		t.Fatal(err)
	}
	img, format, err := image.Decode(strings.NewReader(text(t, path)))
	if err != nil || format != "png" || img.Bounds().Dx() != 9*144 {
		t.Fatalf("format %s, error %v", format, err)
	}
	colours := map[[3]uint32]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			colours[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	// The smoothed line, and the flags of four suggestions.
	for _, c := range [][3]uint32{{0x00, 0x72, 0xb2}, {0xd5, 0x5e, 0x00}, {0x00, 0x9e, 0x73}, {0xb0, 0x50, 0x8c}, {0x8a, 0x6d, 0x00}} {
		if colours[c] < 100 {
			t.Errorf("colour %x covers %d pixels", c, colours[c])
		}
	}
}

func TestPlotOddCurves(t *testing.T) {
	one := report.LRPoint{LR: 1e-3, Loss: 2, Smoothed: 2}
	for name, c := range map[string]report.LRCurve{
		"one point":         {Points: []report.LRPoint{one}},
		"flat":              {Points: []report.LRPoint{one, {LR: 1e-2, Loss: 2, Smoothed: 2}}},
		"diverges at once":  {Points: []report.LRPoint{one, {LR: 1e-2, Loss: 1e30, Smoothed: 1e30}}},
		"impossible marks":  {Points: []report.LRPoint{one}, Suggestions: []report.Mark{{"none", 0}, {"nan", math.NaN()}, {"inf", math.Inf(1)}, {"far", 1e20}}},
		"rate of zero":      {Points: []report.LRPoint{{LR: 0, Loss: 3, Smoothed: 3}, one}},
		"one mark, no text": {Points: []report.LRPoint{one}, Suggestions: []report.Mark{{"", 1e-3}}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lr.svg")
			if err := report.PlotLRCurve(path, c); err != nil {
				t.Fatal(err)
			}
			svgTexts(t, path)
			if strings.Contains(text(t, path), "NaN") {
				t.Error("the plot has a place that is no number")
			}
		})
	}
}

func TestPlotLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schedule.svg")
	err := report.PlotLines(path, report.LinePlot{
		Title: "schedules", XLabel: "update", YLabel: "learning rate", LogY: true,
		Lines: []report.Line{
			{Name: "constant", X: []float64{0, 1, 2}, Y: []float64{0.1, 0.1, 0.1}},
			{Name: "to zero", X: []float64{0, 1, 2}, Y: []float64{0.1, 0.001, 0}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(svgTexts(t, path), "|")
	for _, want := range []string{"schedules", "update", "constant", "to zero", "0.01"} {
		if !strings.Contains(all, want) {
			t.Errorf("the plot lacks the text %q; it has %s", want, all)
		}
	}
	flat := report.LinePlot{Lines: []report.Line{{X: []float64{3}, Y: []float64{0}}}}
	if err := report.PlotLines(path, flat); err != nil {
		t.Errorf("a single point: %v", err)
	}
}

func TestPlotErrors(t *testing.T) {
	dir := t.TempDir()
	line := report.LinePlot{Lines: []report.Line{{Name: "a", X: []float64{1, 2}, Y: []float64{1}}}}
	nothing := report.LinePlot{LogY: true, Lines: []report.Line{{X: []float64{1}, Y: []float64{0}}}}
	for _, c := range []struct {
		err  error
		want string
	}{
		{report.PlotLRCurve(filepath.Join(dir, "lr.pdf"), rangeTest()), `the format ".pdf" is unknown; let the name end in .svg or .png`},
		{report.PlotLRCurve(filepath.Join(dir, "lr"), rangeTest()), ".svg or .png"},
		{report.PlotLRCurve(filepath.Join(dir, "lr.svg"), report.LRCurve{}), "no step with a finite loss"},
		{report.PlotLRCurve(filepath.Join(dir, "absent", "lr.svg"), rangeTest()), "absent"},
		{report.PlotLines(filepath.Join(dir, "l.svg"), line), `line "a" has 2 x and 1 y values`},
		{report.PlotLines(filepath.Join(dir, "l.svg"), nothing), "no line has a point"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("failures leave %v", left)
	}
}
