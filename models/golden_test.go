package models_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/internal/formula"
)

// readGolden decodes a file that testdata/make_golden.py wrote.
func readGolden[T any](t testing.TB, file string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// device is a CPU that ends with the test.
func device(t testing.TB, o cpu.Options) *cpu.Device {
	t.Helper()
	d, err := cpu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// setFormula gives every parameter its value by formula.
func setFormula(t testing.TB, ps *graph.Params) {
	t.Helper()
	if err := formula.Fill(ps); err != nil {
		t.Fatal(err)
	}
}

// farthest is the largest difference between two lists, relative to the largest
// magnitude of the second.
func farthest(got, want []float64) float64 {
	diff, size := 0.0, 0.0
	for i := range want {
		diff = max(diff, math.Abs(got[i]-want[i]))
		size = max(size, math.Abs(want[i]))
	}
	return diff / size
}
