package configs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestStudies(t *testing.T) {
	if got, want := StudyNames(), []string{"study-attention", "study-micro-batch", "study-pretraining"}; !slices.Equal(got, want) {
		t.Errorf("StudyNames() = %v, want %v", got, want)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range StudyNames() {
		s, err := LoadStudy(name, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Name != name || len(s.Seeds) != 3 || len(s.Variants) < 4 {
			t.Errorf("%s has the name %s, %d seeds and %d variants", name, s.Name, len(s.Seeds), len(s.Variants))
		}
		if !strings.Contains(string(readme), "| "+name+" |") {
			t.Errorf("README.md has no row for %s", name)
		}
	}
	s, err := LoadStudy("study-attention", Options{Set: []string{"train.epochs=2"}})
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Variants[2]; v.Name != "eca" || v.Config.Model.Attn != "eca" || v.Config.Train.Epochs != 2 || v.Config.Model.Name != "cifar_resnet20" {
		t.Errorf("the third variant is %+v", v)
	}
}

// A study finds its base beside itself; later settings win over earlier ones.
func TestStudyOfAFile(t *testing.T) {
	dir := write(t, "own.yaml", "extends: quickstart\ntrain: {epochs: 7}\n", "s.yaml", `
base: own.yaml
set: [optimizer.lr=0.3]
variants:
  b:
  a: [optimizer.lr=0.2, "model.norm=group:groups=4,eps=0.1"]
seeds: [5]
`)
	s, err := LoadStudy(filepath.Join(dir, "s.yaml"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, a := s.Variants[0], s.Variants[1]
	if b.Name != "b" || b.Config.Optimizer.LR != 0.3 || b.Config.Train.Epochs != 7 || len(b.Settings) != 0 {
		t.Errorf("b is %+v", b)
	}
	if a.Config.Optimizer.LR != 0.2 || a.Config.Model.Norm != "group:groups=4,eps=0.1" || !slices.Equal(s.Seeds, []int64{5}) {
		t.Errorf("a is %+v, seeds %v", a, s.Seeds)
	}
}

func TestStudyProblems(t *testing.T) {
	for text, want := range map[string]string{
		"base: quickstart\nvariants:\n  a: []\n  b: [train.epoch=2]\n":        "s.yaml:4: unknown key train.epoch; did you mean train.epochs?",
		"base: quickstart\nset: [train.epochs=0]\nvariants: {a: [], b: []}\n": "s.yaml:2: train.epochs is 0, and should be a whole number at least 1",
		"base: quickstart\nvariants: {a: [optimizer.momentum=0]}\n":           "variant a: optimizer.nesterov is true",
		"base: quikstart\nvariants: {a: []}\n":                                "did you mean quickstart?",
		"variants: {a: []}\n":                                                 "base is missing",
		"base: quickstart\n":                                                  "variants is missing",
		"base: quickstart\nvariants: {a/b: []}\n":                             `variant a/b: its name becomes a folder`,
		"base: quickstart\nvariants: {a: [train.seed=3]}\n":                   "variant a sets train.seed, which the study sets for each run itself",
		"base: quickstart\nvariants: {a: {x: 1}}\n":                           "and should be a list of settings",
		"base: quickstart\nvariants: {a: []}\nseeds: [1, 1]\n":                "seeds holds 1 twice",
		"base: quickstart\nvariants: {a: []}\nseeds: []\n":                    "should be a list of whole numbers",
		"base: quickstart\nvariants: {a: []}\nseed: 3\n":                      "unknown key seed; a study has base, set, variants and seeds",
		"base: [\n": "is not YAML",
	} {
		dir := write(t, "s.yaml", text)
		_, err := LoadStudy(filepath.Join(dir, "s.yaml"), Options{})
		var problems Invalid
		if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one problem with %q", text, err, want)
		}
	}
	if _, err := LoadStudy("study-atention", Options{}); err == nil || !strings.Contains(err.Error(), "study-attention") {
		t.Errorf("error %v, want one that names the studies", err)
	}
}
