package models

import (
	"strings"
	"testing"

	"github.com/seed52467199/trainer/graph"
)

// Every table names each layer of its models once.
func TestNameTables(t *testing.T) {
	for _, table := range nameTables {
		for _, name := range append([]string{table.model}, table.instead...) {
			ps := graph.NewParams(1)
			if _, err := New(name, ps.Root(), Options{}); err != nil {
				t.Fatal(err)
			}
			layers := map[string]bool{}
			for _, p := range ps.All() {
				layers[p.Name[:strings.LastIndexByte(p.Name, '.')]] = true
			}
			for from, to := range table.layers {
				if !layers[to] {
					t.Errorf("%s: %s becomes %s, which the model lacks or which another became", name, from, to)
				}
				delete(layers, to)
			}
			for layer := range layers {
				t.Errorf("%s: nothing becomes %s", name, layer)
			}
		}
	}
}

func TestRename(t *testing.T) {
	file := []string{"_conv_stem.weight", "_blocks.1._expand_conv.weight", "_bn0.running_mean"}
	trained, got := Rename("efficientnet_lite0", file)
	if trained != "tf_efficientnet_lite0" {
		t.Errorf("trained for %s", trained)
	}
	if got["_blocks.1._expand_conv.weight"] != "blocks.1.0.conv_pw.weight" || got["_bn0.running_mean"] != "bn1.running_mean" {
		t.Errorf("the names are %v", got)
	}
	for _, c := range []struct {
		model string
		file  []string
	}{{"resnet18", file}, {"efficientnet_lite0", append(file, "conv_stem.weight")}, {"efficientnet_lite0", nil}} {
		if trained, got := Rename(c.model, c.file); got != nil || trained != c.model {
			t.Errorf("%s, %v: the names of %s are %v, want none", c.model, c.file, trained, got)
		}
	}
}

func TestNameTablesThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"a b\n":                  "names no model",
		"model: m\na\n":          `line 2 is "a"`,
		"model: m\na b\n\na c\n": `line 4 is "a c"`,
	} {
		if _, err := parseNameTable(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}
