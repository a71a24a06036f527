package configs

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "2GiB": 2 << 30, "1.5 GiB": 3 << 29, "800MiB": 800 << 20, "64KiB": 64 << 10, " 2gb ": 2e9, "1.5MB": 15e5, "7kB": 7000, "12B": 12,
	} {
		got, err := ParseBytes(text)
		if err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
			continue
		}
		if back, err := ParseBytes(got.String()); err != nil || back != want {
			t.Errorf("%q comes back from %q as %d, %v", text, got, back, err)
		}
		var decoded Bytes
		encoded, err := json.Marshal(got)
		if err != nil || json.Unmarshal(encoded, &decoded) != nil || decoded != want {
			t.Errorf("%q comes back from JSON %s as %d, %v", text, encoded, decoded, err)
		}
	}
	for _, text := range []string{"", "2", "2 G", "GiB", "-1GiB", "1e3MB", "2.GiB.", "10000000000GiB", "nanB"} {
		if got, err := ParseBytes(text); err == nil || !strings.Contains(err.Error(), "2GiB") {
			t.Errorf("%q: %d, error %v; want one that shows how to write it", text, got, err)
		}
	}
}

func TestMemoryKey(t *testing.T) {
	const m = "model: {name: lenet5}\ntrain: {memory: "
	schema := compile(t)
	for text, want := range map[string]Bytes{"2GiB": 2 << 30, "0": 0, `"1.5GB"`: 15e8} {
		file := m + text + "}\n"
		c, err := Parse("x.yaml", []byte(file), Options{})
		if err != nil || c.Train.Memory != want {
			t.Fatalf("%s: %v", text, err)
		}
		if again, err := Parse("x.yaml", c.YAML(), Options{}); err != nil || again.Train.Memory != want {
			t.Errorf("%s comes back as %v, %v", text, again.Train.Memory, err)
		}
		if err := validate(t, schema, []byte(file)); err != nil {
			t.Errorf("the schema refuses %s: %v", text, err)
		}
		if err := validate(t, schema, c.YAML()); err != nil {
			t.Errorf("the schema refuses %s as it is written: %v", text, err)
		}
	}
	for _, text := range []string{"2048", "much", "[1GiB]", "true"} {
		file := m + text + "}\n"
		if _, err := Parse("x.yaml", []byte(file), Options{}); err == nil || !strings.Contains(err.Error(), "train.memory is") || !strings.Contains(err.Error(), "such as 2GiB") {
			t.Errorf("%s: error %v", text, err)
		}
		if validate(t, schema, []byte(file)) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}
