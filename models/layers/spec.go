package layers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Spec is a layer as configurations write it: a name and, behind a colon, options
// separated by commas, such as "eca", "eca:k=5" and "bam:combine=sum,reduction=8".
type Spec struct {
	Name    string
	options []option
	err     error
	used    map[string]bool
}

type option struct{ key, value string }

// ParseSpec reads a layer's spec. It refuses one without a name, an option
// without a value and an option given twice.
func ParseSpec(text string) (*Spec, error) {
	name, rest, has := strings.Cut(text, ":")
	s := &Spec{Name: strings.TrimSpace(name), used: map[string]bool{}}
	if s.Name == "" || has && rest == "" {
		return nil, fmt.Errorf("layer %q: want a name, or a name and options as in eca:k=5", text)
	}
	if !has {
		return s, nil
	}
	for _, part := range strings.Split(rest, ",") {
		key, value, ok := strings.Cut(part, "=")
		o := option{strings.TrimSpace(key), strings.TrimSpace(value)}
		if !ok || o.key == "" || o.value == "" {
			return nil, fmt.Errorf("layer %q: option %q: want key=value", text, part)
		}
		if slices.ContainsFunc(s.options, func(other option) bool { return other.key == o.key }) {
			return nil, fmt.Errorf("layer %q: option %s is given twice", text, o.key)
		}
		s.options = append(s.options, o)
	}
	return s, nil
}

// Int is the option of this name, or fallback where it is not given; a value
// below least is refused.
func (s *Spec) Int(key string, fallback, least int) int {
	return number(s, key, fallback, least, "a whole number", strconv.Atoi)
}

// Odd is the option of this name, an odd number, or fallback where it is not given.
func (s *Spec) Odd(key string, fallback int) int {
	n := s.Int(key, fallback, 0)
	if n != fallback && n%2 == 0 {
		s.refuse(key, strconv.Itoa(n), "an odd number")
	}
	return n
}

// Float is the option of this name, or fallback where it is not given; a value
// below least is refused.
func (s *Spec) Float(key string, fallback, least float64) float64 {
	return number(s, key, fallback, least, "a number", func(text string) (float64, error) { return strconv.ParseFloat(text, 64) })
}

func number[T int | float64](s *Spec, key string, fallback, least T, what string, parse func(string) (T, error)) T {
	text, ok := s.take(key)
	if !ok {
		return fallback
	}
	v, err := parse(text)
	if err != nil || !(v >= least) {
		s.refuse(key, text, fmt.Sprintf("%s, at least %v", what, least))
		return fallback
	}
	return v
}

// Positive is the option of this name, which must be given and above 0; why says why.
func (s *Spec) Positive(key, why string) float64 {
	v := s.Float(key, 0, 0)
	if v == 0 && s.err == nil {
		s.err = fmt.Errorf("layer %s: option %s should be a number above 0: %s", s.Name, key, why)
	}
	return v
}

// Bool is the option of this name, true or false, or fallback.
func (s *Spec) Bool(key string, fallback bool) bool {
	text, ok := s.take(key)
	if !ok {
		return fallback
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		s.refuse(key, text, "true or false")
		return fallback
	}
	return v
}

// Choice is the option of this name, one of those listed, of which the first is
// what it is where it is not given.
func (s *Spec) Choice(key string, among ...string) string {
	text, ok := s.take(key)
	if !ok {
		return among[0]
	}
	if !slices.Contains(among, text) {
		s.refuse(key, text, strings.Join(among, " or "))
		return among[0]
	}
	return text
}

func (s *Spec) take(key string) (string, bool) {
	s.used[key] = true
	i := slices.IndexFunc(s.options, func(o option) bool { return o.key == key })
	if i < 0 {
		return "", false
	}
	return s.options[i].value, true
}

func (s *Spec) refuse(key, value, want string) {
	if s.err == nil {
		s.err = fmt.Errorf("layer %s: option %s is %q; it should be %s", s.Name, key, value, want)
	}
}

// Err is the first thing wrong with the options that were asked for, or an option
// that nobody asked for.
func (s *Spec) Err() error {
	if s.err != nil {
		return s.err
	}
	for _, o := range s.options {
		if !s.used[o.key] {
			known := slices.Sorted(maps.Keys(s.used))
			if len(known) == 0 {
				return fmt.Errorf("layer %s has no option %s, nor any other", s.Name, o.key)
			}
			return fmt.Errorf("layer %s has no option %s; it has %s", s.Name, o.key, strings.Join(known, ", "))
		}
	}
	return nil
}

// closest is the name most like a misspelt one.
func closest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
}
