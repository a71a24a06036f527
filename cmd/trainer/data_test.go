package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data"
)

// Every format has one line.
func TestDataList(t *testing.T) {
	o := trainer(t, "data", "list")
	lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
	if formats := data.Formats(); o.status != 0 || len(lines) != len(formats) {
		t.Fatalf("status %d, %d lines for %d formats:\n%s", o.status, len(lines), len(formats), o.stdout)
	}
	for i, f := range data.Formats() {
		if !strings.HasPrefix(lines[i], f.Name+" ") || !strings.Contains(lines[i], f.About) {
			t.Errorf("line %d is %q, want that of %s", i, lines[i], f.Name)
		}
	}
}

// What a table holds is shown, and what cannot be known of it is asked for.
func TestDataShowOfTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.csv")
	table := "x,y,price\n1,2,10\n3,2,30\n5,2,20\n"
	if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		t.Fatal(err)
	}
	show := []string{"data", "show", "--data", path, "--set", "data.format=csv", "--split", "all", "--set", "data.target_columns=price"}
	if o := trainer(t, show...); o.status != 2 || !strings.Contains(o.stderr, "say data.task: classify or regress") {
		t.Errorf("status %d, %s", o.status, o.stderr)
	}
	show = append(show, "--set", "data.task=regress")
	o := trainer(t, show...)
	for _, want := range []string{"all: 3 rows of 2 numbers (x, y), mean [3 2]", "price                10 to 30, mean 20, std 8.165"} {
		if o.status != 0 || !strings.Contains(o.stdout, want) {
			t.Errorf("status %d, without %q:\n%s%s", o.status, want, o.stdout, o.stderr)
		}
	}
	all := ok(t, show...)["all"].(map[string]any)
	if v := all["values"].(map[string]any)["price"].(map[string]any); all["task"] != "regress" || v["min"] != 10.0 || v["max"] != 30.0 || v["mean"] != 20.0 {
		t.Errorf("%v", all)
	}
}
