package configs

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Study is several variants of one configuration, each trained with several seeds.
//
// Its file has the keys base, a recipe or a file relative to this one; set, a list of
// settings (key.path=value) for all variants; variants, a map from names to lists of
// settings; and seeds, a list of numbers. Only base and variants are needed.
type Study struct {
	// Name is that of the recipe or file.
	Name string
	// Variants are in the order of the file.
	Variants []Variant
	// Seeds are the values of train.seed. Default 1, 2 and 3.
	Seeds []int64
}

// Variant is one configuration of a study.
type Variant struct {
	// Name is also that of its folder.
	Name string
	// Settings are what makes it differ from the base, key.path=value.
	Settings []string
	// Config is the whole; Train.Seed and Output.Dir are for whoever runs it to set.
	Config Config
}

// StudyNames lists the embedded studies, sorted.
func StudyNames() []string {
	files, err := fs.Glob(recipes, "studies/*.yaml")
	if err != nil { // only for a malformed pattern
		panic(err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// LoadStudy reads an embedded study (a name of [StudyNames]) or a YAML file and loads
// the configuration of every variant, with the options on top of each. What is
// wrong with any of them comes back as an [Invalid].
func LoadStudy(nameOrPath string, o Options) (*Study, error) {
	src := source{name: nameOrPath, path: nameOrPath}
	if slices.Contains(StudyNames(), nameOrPath) {
		src = source{name: "study " + nameOrPath, path: "studies/" + nameOrPath + ".yaml", embedded: true}
	} else if !isPath(nameOrPath) {
		return nil, Invalid{{nameOrPath, "there is no such study; give a YAML file, or one of " + strings.Join(StudyNames(), ", ")}}
	}
	content, err := src.read()
	if err != nil {
		return nil, err
	}
	text, err := parseStudy(src.name, content)
	if err != nil {
		return nil, err
	}
	if isPath(text.base) && !src.embedded && !filepath.IsAbs(text.base) {
		text.base = filepath.Join(filepath.Dir(src.path), filepath.FromSlash(text.base))
	}
	s := &Study{Name: src.stem(), Seeds: text.seeds}
	var problems Invalid
	for _, v := range text.variants {
		settings := slices.Concat(text.common, v.settings)
		variant := Variant{Name: v.name}
		own := o
		own.Set = nil
		for _, x := range settings {
			own.Set = append(own.Set, x.text)
		}
		for _, x := range v.settings {
			variant.Settings = append(variant.Settings, x.text)
		}
		own.Set = append(own.Set, o.Set...)
		c, err := Load(text.base, own)
		if wrong, ok := err.(Invalid); ok {
			problems = append(problems, wrong.placed(v.name, settings)...)
			continue
		}
		if err != nil {
			return nil, err
		}
		variant.Config = *c
		s.Variants = append(s.Variants, variant)
	}
	return s, problems.once().err()
}

// studyText is what a study's file says.
type studyText struct {
	base     string
	common   []studySetting
	variants []studyVariant
	seeds    []int64
}

type studyVariant struct {
	name     string
	settings []studySetting
}

// studySetting is key.path=value and where it stands.
type studySetting struct{ text, where string }

// placed gives problems with settings of a variant the places of these in the study's
// file, and names the variant where the problem lies elsewhere.
func (list Invalid) placed(variant string, settings []studySetting) Invalid {
	for i, p := range list {
		at := slices.IndexFunc(settings, func(s studySetting) bool { return p.Where == "--set "+s.text })
		switch {
		case at >= 0:
			list[i].Where = settings[at].where
		case !strings.HasPrefix(p.Where, "--"):
			list[i].Text = "variant " + variant + ": " + p.Text
		}
	}
	return list
}

// once is the list with one of each.
func (list Invalid) once() (few Invalid) {
	for _, p := range list {
		if !slices.Contains(few, p) {
			few = append(few, p)
		}
	}
	return few
}

// variantName is what a variant may be called: it becomes a folder.
var variantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

func parseStudy(name string, content []byte) (t studyText, err error) {
	var problems Invalid
	file, err := parseYAML(content)
	if err != nil {
		line, message := syntaxError(err)
		return t, Invalid{{fmt.Sprintf("%s:%d", name, line), "is not YAML: " + message}}
	}
	if len(file.Docs) != 1 {
		return t, Invalid{{name, "should be one YAML document with the keys base, variants, set and seeds"}}
	}
	for _, entry := range entries(name, file.Docs[0].Body, "the study", &problems) {
		at := where(name, entry.Key)
		switch key := entryKey(entry); key {
		case "base":
			if v := rawNode(entry.Value); v.isText() && v.text != "" {
				t.base = v.text
			} else {
				problems.add(at, "base is %s, and should be a recipe's name or a file, relative to this one", v)
			}
		case "set":
			t.common = settingsOf(name, key, entry.Value, &problems)
		case "seeds":
			t.seeds = seedsOf(at, rawNode(entry.Value), &problems)
		case "variants":
			for _, v := range entries(name, entry.Value, key, &problems) {
				variant := studyVariant{name: entryKey(v)}
				if !variantName.MatchString(variant.name) {
					problems.add(where(name, v.Key), "variant %s: its name becomes a folder and should be of letters, digits and . _ + -", quote(variant.name))
				}
				variant.settings = settingsOf(name, "variant "+variant.name, v.Value, &problems)
				t.variants = append(t.variants, variant)
			}
		default:
			problems.add(at, "unknown key %s; a study has base, set, variants and seeds", key)
		}
	}
	if t.seeds == nil {
		t.seeds = []int64{1, 2, 3}
	}
	if len(problems) == 0 && t.base == "" {
		problems.add(name, "base is missing, and should be the recipe or file that the variants are made of")
	}
	if len(problems) == 0 && len(t.variants) == 0 {
		problems.add(name, "variants is missing, and should name each variant with a list of its settings, such as eca: [model.attn=eca]")
	}
	return t, problems.err()
}

// SetByStudy tells whether a study sets a key for each of its runs itself.
func SetByStudy(key string) bool { return key == "train.seed" || key == "output.dir" }

// settingsOf reads a list of settings.
func settingsOf(name, what string, n ast.Node, problems *Invalid) (all []studySetting) {
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.SequenceNode:
		for _, item := range n.Values {
			v, at := rawNode(item), where(name, item)
			key, _, ok := strings.Cut(v.text, "=")
			key = strings.TrimSpace(key)
			switch {
			case !v.isText() || !ok || key == "":
				problems.add(at, "%s: %s should be key.path=value, such as model.attn=eca", what, v)
			case SetByStudy(key):
				problems.add(at, "%s sets %s, which the study sets for each run itself", what, key)
			default:
				all = append(all, studySetting{v.text, at})
			}
		}
	default:
		problems.add(where(name, n), "%s is %s, and should be a list of settings, such as [model.attn=eca]", what, rawNode(n))
	}
	return all
}

// seedsOf reads a list of seeds.
func seedsOf(at string, v raw, problems *Invalid) (seeds []int64) {
	if v.kind != sequence || len(v.list) == 0 {
		problems.add(at, "seeds is %s, and should be a list of whole numbers, such as [1, 2, 3]", v)
	}
	for _, x := range v.list {
		n, err := strconv.ParseInt(x.text, 10, 64)
		switch {
		case err != nil || n < 0:
			problems.add(at, "seeds holds %s, and should hold whole numbers from 0 on", x)
		case slices.Contains(seeds, n):
			problems.add(at, "seeds holds %d twice", n)
		default:
			seeds = append(seeds, n)
		}
	}
	return seeds
}
