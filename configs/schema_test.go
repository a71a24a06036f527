package configs

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler() // checks the schema against its own meta-schema
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	object, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestSchemaAcceptsRecipes(t *testing.T) {
	schema := compile(t)
	for _, pattern := range []string{"*.yaml", "base/*.yaml"} {
		files, err := fs.Glob(recipes, pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := recipes.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, schema, text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	for _, name := range Names() {
		c, err := Load(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, c.YAML()); err != nil {
			t.Errorf("the whole of %s: %v", name, err)
		}
	}
	if err := validate(t, schema, []byte("augment:\ntrain: {epochs: 3}\n")); err != nil {
		t.Errorf("an empty section: %v", err)
	}
}

// The schema and the loader judge a key by itself alike.
func TestSchemaAgreesWithLoader(t *testing.T) {
	schema := compile(t)
	tests := []struct {
		text string
		good bool
	}{
		{"train: {epochs: 1}", true},
		{"train: {epochs: 0}", false},
		{"train: {epochs: 1.5}", false},
		{"train: {epochs: ten}", false},
		{"train: {epoch: 1}", false},
		{"trane: {epochs: 1}", false},
		{"train: 3", false},
		{"optimizer: {lr: 0}", false},
		{"optimizer: {lr: 1.0e-9}", true},
		{"optimizer: {name: lamb}", true},
		{"optimizer: {name: adamw}", true},
		{"optimizer: {betas: [0.9, 0.95]}", true},
		{"optimizer: {betas: [0.9, 1]}", false},
		{"augment: {scale: [0.9]}", false},
		{"loss: {smoothing: 1}", false},
		{"loss: {smoothing: 0.999}", true},
		{"loss: {class_weights: balanced}", true},
		{"loss: {class_weights: [1, 0.5], pos_weight: [2]}", true},
		{"loss: {class_weights: []}", true},
		{"loss: {class_weights: [-1]}", false},
		{"loss: {class_weights: even}", false},
		{"loss: {name: nll}", false},
		{"augment: {hflip: 1}", true},
		{"augment: {hflip: 1.01}", false},
		{"augment: {crop: pad4}", true},
		{"augment: {crop: pad2_reflect}", true},
		{"augment: {crop: pad0}", false},
		{"augment: {crop: xrrcx}", false},
		{"augment: {mixup: -0.1}", false},
		{"augment: {mixup: 0.1, mix_mode: pair}", true},
		{"augment: {mix_mode: half}", false},
		{"augment: {auto: none, repeats: 1, erase: 0, cutmix: 0}", true},
		{"augment: {auto: rand-m7-mstd0.5-inc1, erase: 0.25, erase_mode: pixel, erase_count: 2}", true},
		{"augment: {erase: 1.5}", false},
		{"augment: {erase_mode: noise}", false},
		{"augment: {color_jitter: 0.4}", true},
		{"augment: {color_jitter: [0.4, 0.4, 0.4, 0.1]}", true},
		{"augment: {color_jitter: -1}", false},
		{"augment: {auto: \"\", repeats: 0}", true},
		{"augment: {repeats: 3}", true},
		{"augment: {repeats: -1}", false},
		{"data: {mean: auto, std: auto}", true},
		{"data: {mean: [0.5], std: [0.5]}", true},
		{"data: {mean: [0.5], std: [0]}", false},
		{"data: {mean: [], std: []}", false},
		{"data: {mean: imagenet}", false},
		{"data: {shuffle: 1}", false},
		{"data: {root: 1}", false},
		{"finetune: {freeze: [a, \"b*\"]}", true},
		{"finetune: {freeze: [1]}", false},
		{"finetune: {gray_method: fold}", true},
		{"schedule: {milestones: [1, 2.5]}", true},
		{"schedule: {milestones: [0]}", false},
		{"runtime: {device: \"cuda:1\"}", true},
		{"runtime: {device: gpu}", false},
		{"extends: 3", false},
		{"extends: quickstart", true},
	}
	for _, test := range tests {
		err := validate(t, schema, []byte(test.text))
		_, loadErr := Parse("my.yaml", []byte("model: {name: x}\n"+test.text), Options{})
		if (err == nil) != test.good || (loadErr == nil) != test.good {
			t.Errorf("%s: good %t, but the schema says %v and the loader %v", test.text, test.good, err, loadErr)
		}
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, s := range sections() {
		if s.doc == "" {
			t.Errorf("%s has no comment", s.key)
		}
		keys := []string{}
		for _, f := range s.fields {
			keys = append(keys, f.key)
			if !strings.Contains(f.doc, "Default") && f.path() != "model.name" {
				t.Errorf("the comment of %s does not say its default: %q", f.path(), f.doc)
			}
			if f.key == "" || f.key != strings.ToLower(f.key) {
				t.Errorf("the key %q of %s is not in lower_snake_case", f.key, s.key)
			}
			if wrong := f.check(f.preset()); wrong != "" {
				t.Errorf("the default of %s %s", f.path(), wrong)
			}
		}
		for _, f := range s.fields {
			for _, other := range f.also {
				if slices.Contains(keys, other) {
					t.Errorf("%s is also called %s, which is another key of %s", f.path(), other, s.key)
				}
			}
		}
	}
	for _, rule := range rules {
		for _, key := range rule.keys {
			if findField(key) == nil {
				t.Errorf("a rule is about %s, which is no key", key)
			}
		}
	}
}
