package configs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// YAML is the whole configuration, with every key in the order of [Config].
// [Load] and [Parse] make an equal Config from it.
func (c *Config) YAML() []byte {
	var text bytes.Buffer
	for _, s := range sections() {
		fmt.Fprintf(&text, "%s:\n", s.key)
		for _, f := range s.fields {
			fmt.Fprintf(&text, "  %s: %s\n", f.key, literal(f.of(c).Interface()))
		}
	}
	return text.Bytes()
}

// JSON is the whole configuration as one indented object, keys in the order
// of [Config]. encoding/json reads and writes the same form.
func (c *Config) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the configuration as JSON: %w", err)
	}
	return append(text, '\n'), nil
}

// literal is a value as it stands in a YAML file.
func literal(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case float64:
		return number(v)
	case Stats:
		if v.Auto() {
			return auto
		}
		return flow(v, number)
	case [2]float64:
		return flow(v[:], number)
	case []float64:
		return flow(v, number)
	case []string:
		return flow(v, quote)
	}
	return fmt.Sprint(value)
}

func flow[T any](list []T, one func(T) string) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = one(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// number is the shortest text for x that YAML 1.1 readers too take for a
// number: those need a point before an exponent.
func number(x float64) string {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	mantissa, exponent, ok := strings.Cut(text, "e")
	if ok && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exponent
	}
	return text
}

// plain texts need no quotes in YAML, nor in an error.
var plain = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./*-]*$`)

// words that YAML readers take for something other than text
var words = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity"}

// quote is a text as it stands in a YAML file. JSON's quoted form is also YAML's.
func quote(text string) string {
	if plain.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSuffix(quoted.String(), "\n")
}
