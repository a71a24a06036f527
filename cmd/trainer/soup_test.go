package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Averages are weights like others: of the same weights twice they are these, of
// several the greedy one is no worse than the best, and every command takes them.
func TestSoupCommand(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	ok(t, quick(3, "--output", at("start"))...)
	best := 0.0
	for _, seed := range []string{"1", "2"} {
		r := ok(t, "finetune", "--config", "quickstart", "--weights", at("start"), "--set", "train.epochs=2", "--seed", seed, "--output", at("run"+seed))
		best = max(best, r["best"].(map[string]any)["top1"].(float64))
	}
	ok(t, "soup", "--checkpoint", at("run1"), "--checkpoint", at("run1"), "--out", at("twice"))
	one, twice := ok(t, "eval", "--checkpoint", at("run1")), ok(t, "eval", "--checkpoint", at("twice"))
	if one["loss"] != twice["loss"] || one["top1"] != twice["top1"] {
		t.Errorf("of the same weights twice: %v, want %v", twice, one)
	}
	for _, out := range []string{"greedy", "greedy.safetensors"} {
		r := ok(t, "soup", "--checkpoint", at("run?"), "--checkpoint", at("start"), "--greedy", "--out", at(out))
		e := ok(t, "eval", "--checkpoint", at(out), "--set", "data.format=digits")
		if r["top1"] != e["top1"] || r["top1"].(float64) < best {
			t.Errorf("%s reaches %v, and says %v; the best alone %v", out, e["top1"], r["top1"], best)
		}
	}
	ok(t, quick(2, "--output", at("norms"), "--set", "model.name=cifar_resnet20")...)
	ok(t, "soup", "--checkpoint", at("norms"), "--checkpoint", at("norms"), "--bn-update", "--out", at("updated"))
	before, after := ok(t, "eval", "--checkpoint", at("norms")), ok(t, "eval", "--checkpoint", at("updated"))
	if before["loss"] == after["loss"] || after["top1"].(float64) < before["top1"].(float64)-5 {
		t.Errorf("with new statistics %v, before %v", after, before)
	}
	ok(t, quick(1, "--output", at("frozen"), "--set", "model.name=cifar_resnet20", "--set", "model.norm=frozen")...)
	ok(t, "export", "--checkpoint", at("greedy"), "--out", at("greedy.onnx"))
	ok(t, "finetune", "--config", "quickstart", "--weights", at("greedy.safetensors"), "--set", "train.epochs=1", "--output", at("again"))
	if err := os.WriteFile(at("start/note"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"cannot be averaged":               {"--checkpoint", at("run1"), "--checkpoint", at("norms"), "--out", at("x")},
		"no batch norm":                    {"--checkpoint", at("run?"), "--out", at("x"), "--bn-update"},
		"frozen and estimated ones do not": {"--checkpoint", at("frozen"), "--checkpoint", at("frozen"), "--out", at("x"), "--bn-update"},
		"two":                              {"--checkpoint", at("run1"), "--out", at("x")},
		"--greedy":                         {"--checkpoint", at("run?"), "--out", at("x"), "--split", "val"},
		"holds other things":               {"--checkpoint", at("run?"), "--out", at("start")},
	} {
		if o := trainer(t, append([]string{"soup"}, args...)...); o.status != 2 || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("soup %v: status %d, want 2 and a line with %q:\n%s", args, o.status, want, o.stderr)
		}
	}
}
