package configs

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.yaml base/*.yaml studies/*.yaml
var recipes embed.FS

// Names lists the embedded recipes, sorted. What lies under base is only there
// to be extended, as base/NAME.
func Names() []string {
	files, err := fs.Glob(recipes, "*.yaml")
	if err != nil { // only for a malformed pattern
		panic(err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".yaml")
	}
	slices.Sort(files)
	return files
}

// Recipe is the text of an embedded recipe with its comments, to read or to
// start an own file from.
func Recipe(name string) ([]byte, error) {
	src, ok := recipe(name)
	if !ok {
		return nil, Invalid{{name, "there is no such recipe (recipes: " + strings.Join(Names(), ", ") + ")"}}
	}
	return src.read()
}

// recipe finds an embedded file by name.
func recipe(name string) (source, bool) {
	file := path.Clean(name) + ".yaml"
	if _, err := fs.Stat(recipes, file); err != nil {
		return source{}, false
	}
	return source{name: "recipe " + name, path: file, embedded: true}, true
}
