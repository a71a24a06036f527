package configs

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest is the candidate that a misspelt word most likely means, or "" when
// none is similar.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// suggestField ends the sentence about an unknown key of a section.
func suggestField(s *section, key string) string {
	keys := make([]string, len(s.fields))
	for i, f := range s.fields {
		keys[i] = f.key
		if slices.Contains(f.also, strings.ToLower(key)) {
			return "; did you mean " + f.path() + "?"
		}
	}
	if near := nearest(key, keys); near != "" {
		return "; did you mean " + s.key + "." + near + "?"
	}
	if elsewhere := fieldsCalled(key); elsewhere != nil {
		return "; did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	return "; " + s.key + " has " + strings.Join(keys, ", ")
}

// suggestSection ends the sentence about an unknown key at the top.
func suggestSection(key string) string {
	var keys []string
	for _, s := range sections() {
		keys = append(keys, s.key)
		if slices.Contains(s.also, strings.ToLower(key)) {
			return "; did you mean " + s.key + "?"
		}
	}
	if near := nearest(key, append(keys, keyExtends)); near != "" {
		return "; did you mean " + near + "?"
	}
	if inside := fieldsCalled(key); inside != nil {
		return "; did you mean " + strings.Join(inside, " or ") + "?"
	}
	return "; the sections are " + strings.Join(keys, ", ")
}

// fieldsCalled finds the paths of fields whose key, or other name, it is.
func fieldsCalled(key string) []string {
	key = strings.ToLower(key)
	var named, known []string
	eachField(func(f *field) {
		switch {
		case f.key == key:
			named = append(named, f.path())
		case slices.Contains(f.also, key):
			known = append(known, f.path())
		}
	})
	if named != nil {
		return named
	}
	return known
}
