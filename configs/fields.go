package configs

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// section is one top-level key of a configuration.
type section struct {
	key    string
	doc    string
	also   []string
	fields []*field
}

// field is one key of a section with all that is known about it.
type field struct {
	section string
	key     string // within its section
	index   [2]int // in Config, then in the section's struct
	typ     reflect.Type
	doc     string
	also    []string

	min, max     bound
	known, later []string
	off          []string
	match        *regexp.Regexp
	shape        string
	alone        bool
}

// bound is one end of a range.
type bound struct {
	set, open bool
	at        float64
}

// path is the key as it is named in --set and in errors.
func (f *field) path() string { return f.section + "." + f.key }

// of is the field's place in c.
func (f *field) of(c *Config) reflect.Value {
	return reflect.ValueOf(c).Elem().Field(f.index[0]).Field(f.index[1])
}

// preset is the field's value in [Default].
func (f *field) preset() any {
	c := Default()
	return f.of(&c).Interface()
}

// sections is the table of all keys, in the order of [Config].
var sections = sync.OnceValue(func() []section {
	docs := docComments()
	config := reflect.TypeFor[Config]()
	table := make([]section, config.NumField())
	for i := range table {
		s := config.Field(i)
		table[i] = section{key: s.Tag.Get("json"), also: list(s.Tag, "also"), doc: docs["Config."+s.Name]}
		for j := range s.Type.NumField() {
			f := s.Type.Field(j)
			table[i].fields = append(table[i].fields, &field{
				section: table[i].key,
				key:     f.Tag.Get("json"),
				index:   [2]int{i, j},
				typ:     f.Type,
				doc:     docs[s.Type.Name()+"."+f.Name],
				also:    list(f.Tag, "also"),
				min:     limit(f.Tag, "min", "above"),
				max:     limit(f.Tag, "max", "below"),
				known:   list(f.Tag, "known"),
				later:   list(f.Tag, "later"),
				off:     list(f.Tag, "off"),
				match:   pattern(f.Tag),
				shape:   f.Tag.Get("shape"),
				alone:   f.Tag.Get("alone") == "true",
			})
		}
	}
	return table
})

// findField gives the field that a path such as optimizer.lr names.
func findField(path string) *field {
	name, key, _ := strings.Cut(path, ".")
	for _, s := range sections() {
		if s.key != name {
			continue
		}
		for _, f := range s.fields {
			if f.key == key {
				return f
			}
		}
	}
	return nil
}

func findSection(key string) *section {
	table := sections()
	for i := range table {
		if table[i].key == key {
			return &table[i]
		}
	}
	return nil
}

// eachField calls do for every field, in the order of [Config].
func eachField(do func(*field)) {
	for _, s := range sections() {
		for _, f := range s.fields {
			do(f)
		}
	}
}

//go:embed config.go
var configSource string

// docComments gives the comment of every struct field in config.go by
// "Type.Field": what Go's documentation says and what the schema says is one text.
func docComments() map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", configSource, parser.ParseComments)
	if err != nil { // it has been compiled
		panic(err)
	}
	docs := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if fields, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range fields.Fields.List {
				for _, name := range f.Names {
					docs[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
		}
		return false
	})
	return docs
}

// list reads a tag of comma-separated words.
func list(tag reflect.StructTag, name string) []string {
	text, ok := tag.Lookup(name)
	if !ok {
		return nil
	}
	return strings.Split(text, ",")
}

// limit reads the tag of an inclusive or of an exclusive bound.
func limit(tag reflect.StructTag, inclusive, exclusive string) bound {
	text, open := tag.Get(inclusive), false
	if text == "" {
		text, open = tag.Get(exclusive), true
	}
	if text == "" {
		return bound{}
	}
	at, err := strconv.ParseFloat(text, 64)
	if err != nil { // the tags are constants, and every test reads them
		panic(err)
	}
	return bound{set: true, open: open, at: at}
}

func pattern(tag reflect.StructTag) *regexp.Regexp {
	if text := tag.Get("match"); text != "" {
		return regexp.MustCompile("^(" + text + ")$")
	}
	return nil
}

// kinds of values that a field can have
var (
	typeStats   = reflect.TypeFor[Stats]()
	typeWeights = reflect.TypeFor[ClassWeights]()
	typeBytes   = reflect.TypeFor[Bytes]()
	typePair    = reflect.TypeFor[[2]float64]()
	typeNumbers = reflect.TypeFor[[]float64]()
	typeTexts   = reflect.TypeFor[[]string]()
)

// want says what the field's value should be, to end a sentence with.
func (f *field) want() string {
	switch {
	case f.off != nil:
		return f.off[0]
	case f.known != nil:
		return "one of " + strings.Join(f.known, ", ")
	case f.shape != "":
		return f.shape
	}
	switch f.typ {
	case typeStats:
		return "auto or a list of numbers" + f.bounds() + ", such as [0.5]"
	case typeWeights:
		return balanced + " or a list of numbers" + f.bounds() + ", one for each class"
	case typeBytes:
		return bytesWanted
	case typePair:
		return "a list of two numbers" + f.bounds() + ", such as " + literal(f.preset())
	case typeNumbers:
		if f.alone {
			return "a number or a list of numbers" + f.bounds()
		}
		if f.max.set {
			return "a list of numbers" + f.bounds() + ", such as [0.9, 0.99]"
		}
		return "a list of numbers" + f.bounds() + ", such as [30, 60]"
	case typeTexts:
		return "a list of texts, such as [a, b]"
	}
	switch f.typ.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number" + f.bounds()
	case reflect.Float64:
		return "a number" + f.bounds()
	}
	return "a text"
}

// bounds puts the range into words that follow "a number".
func (f *field) bounds() string {
	lower := map[bool]string{true: "above ", false: "at least "}[f.min.open] + number(f.min.at)
	upper := map[bool]string{true: "below ", false: "at most "}[f.max.open] + number(f.max.at)
	switch {
	case f.min.set && f.max.set:
		return " " + lower + " and " + upper
	case f.min.set:
		return " " + lower
	case f.max.set:
		return " " + upper
	}
	return ""
}

// check says what is wrong with a value of the field's type, or "".
func (f *field) check(value any) string {
	switch v := value.(type) {
	case string:
		return f.checkText(v)
	case bool:
		return f.checkOff(strconv.FormatBool(v))
	case int:
		return f.checkNumber(float64(v), value)
	case int64:
		return f.checkNumber(float64(v), value)
	case float64:
		return f.checkNumber(v, value)
	case Bytes:
		if v < 0 {
			return "is negative, and should be " + f.want()
		}
	case [2]float64:
		return f.checkNumbers(v[:], value)
	case []float64:
		return f.checkNumbers(v, value)
	case ClassWeights:
		return f.checkNumbers(v.List, value)
	case Stats:
		if v != nil && len(v) == 0 {
			return "is empty, and should be " + f.want()
		}
		return f.checkNumbers(v, value)
	}
	return ""
}

// checkOff refuses the values of a feature that is not built yet.
func (f *field) checkOff(v string) string {
	if f.off == nil || slices.Contains(f.off, v) {
		return ""
	}
	return fmt.Sprintf("is %s, which is not available in this version; it should be %s", v, f.want())
}

func (f *field) checkText(v string) string {
	switch {
	case f.off != nil && !slices.Contains(f.off, v), slices.Contains(f.later, v):
		return fmt.Sprintf("is %s, which is not available in this version; it should be %s", quote(v), f.want())
	case f.known != nil && !slices.Contains(f.known, v):
		hint := ""
		if near := nearest(v, f.known); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return fmt.Sprintf("is %s, and should be %s%s", quote(v), f.want(), hint)
	case f.match != nil && !f.match.MatchString(v):
		return fmt.Sprintf("is %s, and should be %s", quote(v), f.want())
	}
	return ""
}

func (f *field) checkNumbers(list []float64, value any) string {
	for _, x := range list {
		if text := f.checkNumber(x, value); text != "" {
			return text
		}
	}
	return ""
}

func (f *field) checkNumber(x float64, value any) string {
	if f.off != nil {
		return f.checkOff(number(x))
	}
	inside := !math.IsNaN(x) && !math.IsInf(x, 0) && f.min.below(x) && f.max.above(x)
	if !inside {
		return fmt.Sprintf("is %s, and should be %s", literal(value), f.want())
	}
	return ""
}

func (b bound) below(x float64) bool { return !b.set || b.at < x || (b.at == x && !b.open) }
func (b bound) above(x float64) bool { return !b.set || x < b.at || (b.at == x && !b.open) }
