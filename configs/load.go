package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// Options is what comes on top of a configuration file. The zero value adds
// nothing.
type Options struct {
	// Set holds values as --set takes them: "key.path=value". Later ones win.
	Set []string
	// Flags holds the values of flags of their own; they win over Set.
	Flags []Flag
	// CheckModel, if given, says whether there is a model of that name; its
	// error becomes part of Load's, with the place where the name was set.
	CheckModel func(name string) error
	// CheckAuto, if given, says what is wrong with an automatic augmentation, in the
	// same way.
	CheckAuto func(spec string) error
}

// Flag is the value of a command-line flag that stands for a key.
type Flag struct {
	// Flag as the user knows it, such as --threads.
	Flag string
	// Key is the path, such as runtime.threads.
	Key string
	// Value is text, as for --set.
	Value string
}

// Load makes a configuration from an embedded recipe (a name of [Names]) or a
// YAML file (anything that ends in .yaml or .yml or has a folder in it), from
// what that extends, and from the options. The empty name stands for no file
// at all: [Default] and the options.
//
// Later wins: defaults, then the chain of extends from its root up, then the
// file, then Options.Set, then Options.Flags. What is wrong with the
// configuration comes back as an [Invalid].
func Load(nameOrPath string, o Options) (*Config, error) {
	if nameOrPath == "" {
		return merge("the configuration", nil, o, nil)
	}
	src, err := find(nameOrPath)
	if err != nil {
		return nil, err
	}
	content, err := src.read()
	if err != nil {
		return nil, err
	}
	c, err := load(src, content, o)
	if err != nil {
		return nil, err
	}
	if c.Output.Dir == "" {
		c.Output.Dir = "runs/" + src.stem()
	}
	return c, nil
}

// Parse is Load for a text at hand; name stands for it in errors, and its
// folder is where extends looks.
func Parse(name string, content []byte, o Options) (*Config, error) {
	return load(source{name: name, path: name}, content, o)
}

// load follows the chain of extends and merges it, and requires what a file
// for a run must say.
func load(src source, content []byte, o Options) (*Config, error) {
	var problems Invalid
	layers := []layer{parse(src.name, content, &problems)}
	chain := []source{src}
	for top := layers[0]; top.extends != ""; top = layers[len(layers)-1] {
		base, err := src.base(top.extends)
		if err != nil {
			return nil, Invalid{{top.extendsWhere, fmt.Sprintf("extends %s: %v", top.extends, err)}}
		}
		again := slices.ContainsFunc(chain, base.same)
		chain = append(chain, base)
		if again {
			return nil, Invalid{{top.extendsWhere, "extends goes round in a circle: " + names(chain)}}
		}
		content, err := base.read()
		if err != nil {
			return nil, Invalid{{top.extendsWhere, fmt.Sprintf("extends %s: %v", top.extends, err)}}
		}
		layers = append(layers, parse(base.name, content, &problems))
		src = base
	}
	slices.Reverse(layers)
	c, err := merge(chain[0].name, layers, o, problems)
	if err != nil {
		return nil, err
	}
	if c.Model.Name == "" {
		return nil, Invalid{{chain[0].name, "model.name is missing, and should be the name of a model, such as resnet18"}}
	}
	return c, nil
}

func names(chain []source) string {
	list := make([]string, len(chain))
	for i, s := range chain {
		list[i] = s.name
	}
	return strings.Join(list, " > ")
}

// merge puts the layers, base first, and the options on top of the defaults
// and checks the whole. problems are those found so far.
func merge(name string, layers []layer, o Options, problems Invalid) (*Config, error) {
	v := viper.New()
	origins := map[string]string{}

	eachField(func(f *field) { v.SetDefault(f.path(), f.preset()) })
	for _, l := range layers {
		tree := map[string]any{}
		for _, s := range displaced(l.settings) {
			branch, ok := tree[s.section].(map[string]any)
			if !ok {
				branch = map[string]any{}
				tree[s.section] = branch
			}
			branch[s.key] = s.value
			origins[s.path()] = s.where
		}
		if err := v.MergeConfigMap(tree); err != nil {
			return nil, fmt.Errorf("merging the configuration: %w", err)
		}
	}
	for _, s := range overrides(o, &problems) {
		for _, s := range displaced([]setting{s}) {
			v.Set(s.path(), s.value)
			origins[s.path()] = s.where
		}
	}
	if err := problems.err(); err != nil {
		return nil, err
	}

	c := Default()
	eachField(func(f *field) { // every value already has its field's own type
		f.of(&c).Set(reflect.ValueOf(v.Get(f.path())))
	})
	c.Derive()
	c.check(func(key string) string {
		if at, ok := origins[key]; ok {
			return at
		}
		return name
	}, &problems)
	if o.CheckModel != nil && c.Model.Name != "" {
		if err := o.CheckModel(c.Model.Name); err != nil {
			at := origins["model.name"]
			problems.add(at, "model.name is %s: %v", quote(c.Model.Name), err)
		}
	}
	if o.CheckAuto != nil {
		if err := o.CheckAuto(c.Augment.Auto); err != nil {
			problems.add(origins["augment.auto"], "augment.auto is %s: %v", quote(c.Augment.Auto), err)
		}
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	return &c, nil
}

// overrides reads the options, in the order in which they win.
func overrides(o Options, problems *Invalid) []setting {
	var settings []setting
	for _, text := range o.Set {
		key, value, ok := strings.Cut(text, "=")
		key, at := strings.TrimSpace(key), "--set "+text
		if !ok || key == "" {
			problems.add(at, "should be key.path=value, such as --set optimizer.lr=0.1")
			continue
		}
		settings = override(settings, at, key, value, problems)
	}
	for _, f := range o.Flags {
		settings = override(settings, f.Flag+" "+f.Value, f.Key, f.Value, problems)
	}
	return settings
}

// override adds one value from the command line to the settings.
func override(settings []setting, at, key, value string, problems *Invalid) []setting {
	if f := findField(key); f != nil {
		v, wrong := f.value(rawText(value, f))
		if wrong != "" {
			problems.add(at, "%s %s", key, wrong)
			return settings
		}
		return append(settings, setting{f, v, at})
	}
	section, rest, nested := strings.Cut(key, ".")
	s := findSection(section)
	switch {
	case key == keyExtends:
		problems.add(at, "extends belongs in a file; name that file or recipe with --config")
	case s == nil:
		problems.add(at, "unknown key %s%s", key, suggestSection(section))
	case !nested:
		problems.add(at, "%s is a section; set one of its keys, such as %s", key, s.fields[0].path())
	default:
		problems.add(at, "unknown key %s%s", key, suggestField(s, rest))
	}
	return settings
}

// source is where a configuration's text is found: a file, or a recipe of the
// embedded ones.
type source struct {
	name     string // for people
	path     string
	embedded bool
}

// find reads the name of a recipe or a file.
func find(nameOrPath string) (source, error) {
	if isPath(nameOrPath) {
		return source{name: nameOrPath, path: nameOrPath}, nil
	}
	if src, ok := recipe(nameOrPath); ok {
		return src, nil
	}
	if info, err := os.Stat(nameOrPath); err == nil && info.Mode().IsRegular() {
		return source{name: nameOrPath, path: nameOrPath}, nil
	}
	hint := ""
	if near := nearest(nameOrPath, Names()); near != "" {
		hint = "; did you mean " + near + "?"
	}
	return source{}, Invalid{{nameOrPath, "there is no such recipe, and no such file" + hint + " (recipes: " + strings.Join(Names(), ", ") + ")"}}
}

func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// base finds what a file extends: a recipe, or a file relative to it, or where there is
// none an embedded file by its place among the recipes.
func (s source) base(extends string) (source, error) {
	if !isPath(extends) {
		if src, ok := recipe(extends); ok {
			return src, nil
		}
	}
	if s.embedded {
		src, ok := recipe(strings.TrimSuffix(extends, ".yaml"))
		if !ok {
			return source{}, errors.New("there is no such recipe")
		}
		return src, nil
	}
	path := filepath.FromSlash(extends)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(s.path), path)
	}
	if _, err := os.Stat(path); err == nil {
		return source{name: path, path: path}, nil
	}
	if src, ok := recipe(strings.TrimSuffix(extends, ".yaml")); ok { // such as base/imagenet
		return src, nil
	}
	if !isPath(extends) {
		return source{}, errors.New("there is no such recipe, and no such file (recipes: " + strings.Join(Names(), ", ") + ")")
	}
	return source{name: path, path: path}, nil
}

// same tells whether both are one file, by whatever path.
func (s source) same(other source) bool {
	if s.embedded || other.embedded {
		return s.embedded == other.embedded && s.path == other.path
	}
	a, errA := os.Stat(s.path)
	b, errB := os.Stat(other.path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// read gives the text.
func (s source) read() ([]byte, error) {
	open := func() (fs.File, error) { return os.Open(s.path) }
	if s.embedded {
		open = func() (fs.File, error) { return recipes.Open(s.path) }
	}
	file, err := open()
	if err != nil {
		return nil, s.unreadable(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, Invalid{{s.name, "is a folder; name a configuration file, such as " + filepath.Join(s.name, "config.yaml")}}
	}
	return readText(s.name, file)
}

func (s source) unreadable(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	hint := ""
	if _, ok := recipe(s.stem()); ok {
		hint = "; did you mean the recipe " + s.stem() + "?"
	}
	return Invalid{{s.name, fmt.Sprintf("the configuration cannot be read: %v%s", err, hint)}}
}

// stem is the name without folder and extension.
func (s source) stem() string {
	base := filepath.Base(s.path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
