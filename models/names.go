package models

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Published weights of which the layers have other names come with a table of both, in
// names: a line "model:" with the model that they were trained for, "instead of:" with
// models of the same parameters for which they are taken although these compute something
// else, and for each layer a line with its name in the file and the model's.

//go:embed names/*.txt
var namesFiles embed.FS

// nameTable is one table.
type nameTable struct {
	model   string
	instead []string
	layers  map[string]string // from a file's name to the model's
}

var nameTables = readNameTables(namesFiles)

func readNameTables(files fs.FS) []nameTable {
	paths, err := fs.Glob(files, "names/*.txt")
	if err != nil {
		panic(err)
	}
	var all []nameTable
	for _, path := range paths {
		text, err := fs.ReadFile(files, path)
		if err != nil {
			panic(err)
		}
		t, err := parseNameTable(string(text))
		if err != nil {
			panic(fmt.Sprintf("%s: %v", path, err))
		}
		all = append(all, t)
	}
	return all
}

func parseNameTable(text string) (nameTable, error) {
	t := nameTable{layers: map[string]string{}}
	lines := bufio.NewScanner(strings.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "model:"); ok {
			t.model = strings.TrimSpace(name)
			continue
		}
		if list, ok := strings.CutPrefix(line, "instead of:"); ok {
			t.instead = strings.Fields(list)
			continue
		}
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != 2 || t.layers[fields[0]] != "" {
			return t, fmt.Errorf("line %d is %q; want a layer's name in the file, once, and the model's", number, line)
		}
		t.layers[fields[0]] = fields[1]
	}
	if t.model == "" {
		return t, fmt.Errorf("it names no model")
	}
	return t, lines.Err()
}

// Rename gives the names that a model has for the parameters of a file, for published
// weights whose layers are called otherwise, and the model that they were trained for:
// the one asked for, or one of the same parameters that computes something else with
// them, such as another padding. names is nil where no table knows every name.
func Rename(model string, file []string) (trained string, names map[string]string) {
	for _, t := range nameTables {
		if model != t.model && !slices.Contains(t.instead, model) {
			continue
		}
		names := map[string]string{}
		for _, name := range file {
			dot := strings.LastIndexByte(name, '.')
			if layer := t.layers[name[:max(0, dot)]]; layer != "" {
				names[name] = layer + name[dot:]
			}
		}
		if len(names) == len(file) && len(file) > 0 {
			return t.model, names
		}
	}
	return model, nil
}
