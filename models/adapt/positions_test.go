package adapt_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/models/adapt"
	"github.com/seed52467199/trainer/models/internal/formula"
)

func TestPositionsEqualTimm(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string][]struct {
		From, To, Columns int
		Want              []float64
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for kind, resize := range map[string]func([]float32, int, int, int) ([]float32, error){"positions": adapt.Positions, "relative": adapt.RelativeBias} {
		for _, g := range golden[kind] {
			table := make([]float32, g.From*g.Columns)
			for i, v := range formula.Uniform("table", len(table)) {
				table[i] = float32(v)
			}
			got, err := resize(table, g.From, g.Columns, g.To)
			if err != nil || len(got) != len(g.Want) {
				t.Errorf("%s from %d to %d rows: %d values, %v; want %d", kind, g.From, g.To, len(got), err, len(g.Want))
				continue
			}
			worst := 0.0
			for i, v := range got {
				worst = max(worst, math.Abs(float64(v)-g.Want[i]))
			}
			if !(worst < 2e-6) {
				t.Errorf("%s from %d to %d rows: differs by %.2g", kind, g.From, g.To, worst)
			}
		}
		if len(golden[kind]) == 0 {
			t.Errorf("no golden tables of %s", kind)
		}
	}
}

func TestPositionsRefusals(t *testing.T) {
	for _, c := range []struct {
		resize     func([]float32, int, int, int) ([]float32, error)
		values     int
		rows, to   int
		complained string
	}{
		{adapt.Positions, 8, 5, 10, "8 values for 5 rows of 2 channels"},
		{adapt.Positions, 10, 5, 9, "both should have as many for the tokens of a class and of distillation"},
		{adapt.Positions, 10, 5, 8, "the square of a number"},
		{adapt.RelativeBias, 18, 9, 16, "the square of an odd number"},
		{adapt.RelativeBias, 16, 9, 25, "16 values for 9 rows of 2 heads"},
	} {
		if _, err := c.resize(make([]float32, c.values), c.rows, 2, c.to); err == nil || !strings.Contains(err.Error(), c.complained) {
			t.Errorf("error %v, want one with %q", err, c.complained)
		}
	}
}
