package configs

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// raw is a value as it was written, before it is known what it should be.
type raw struct {
	kind kind
	text string
	list []raw
}

type kind int

const (
	bare   kind = iota // from a command line: anything
	text               // unquoted text; 5e-4 is one for YAML 1.1
	quoted             // text in quotes
	numeral
	boolean
	null
	sequence
	mapping
	other // what a configuration has no use for
)

// rawNode reads a node of a YAML file.
func rawNode(n ast.Node) raw {
	switch n := n.(type) {
	case *ast.StringNode:
		if t := n.Token.Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
			return raw{kind: quoted, text: n.Value}
		}
		return raw{kind: text, text: n.Value}
	case *ast.LiteralNode:
		return raw{kind: quoted, text: n.Value.Value}
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return raw{kind: numeral, text: n.GetToken().Value}
	case *ast.BoolNode:
		return raw{kind: boolean, text: n.GetToken().Value}
	case *ast.NullNode:
		return raw{kind: null}
	case *ast.SequenceNode:
		r := raw{kind: sequence}
		for _, v := range n.Values {
			r.list = append(r.list, rawNode(v))
		}
		return r
	case *ast.MappingNode, *ast.MappingValueNode:
		return raw{kind: mapping}
	}
	return raw{kind: other, text: strings.TrimSpace(n.String())}
}

// rawText reads a value from a command line. A list is written [a, b], or
// without the brackets; texts of it may be in quotes.
func rawText(value string, f *field) raw {
	isList := f.typ == typePair || f.typ == typeNumbers || f.typ == typeTexts || f.typ == typeStats && strings.TrimSpace(value) != auto ||
		f.typ == typeWeights && strings.TrimSpace(value) != balanced
	if !isList {
		return raw{kind: bare, text: value}
	}
	r := raw{kind: sequence}
	inner := strings.TrimSpace(value)
	if strings.HasPrefix(inner, "[") && strings.HasSuffix(inner, "]") {
		inner = strings.TrimSpace(inner[1 : len(inner)-1])
	}
	if inner != "" {
		for part := range strings.SplitSeq(inner, ",") {
			part = strings.TrimSpace(part)
			if text, err := strconv.Unquote(part); err == nil {
				part = text
			}
			r.list = append(r.list, raw{kind: bare, text: part})
		}
	}
	return r
}

// String describes the value in an error.
func (r raw) String() string {
	switch r.kind {
	case quoted:
		return fmt.Sprintf("the text %q in quotes", r.text)
	case text, bare:
		if r.text == "" || strings.ContainsFunc(r.text, func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) }) {
			return strconv.Quote(r.text)
		}
	case null:
		return "empty"
	case sequence:
		return "a list of " + strconv.Itoa(len(r.list))
	case mapping:
		return "a map of keys"
	}
	return r.text
}

// value turns what was written into the field's own type, or says in words
// why it cannot.
func (f *field) value(r raw) (any, string) {
	switch f.typ {
	case typeStats:
		if r.kind != sequence && r.text == auto {
			return Stats(nil), ""
		}
		list, ok := floats(r)
		if !ok || len(list) == 0 {
			return nil, f.refuse(r)
		}
		return Stats(list), ""
	case typeWeights:
		if r.kind != sequence && r.text == balanced {
			return ClassWeights{Balanced: true}, ""
		}
		list, ok := floats(r)
		if !ok {
			return nil, f.refuse(r)
		}
		if len(list) == 0 {
			return ClassWeights{}, ""
		}
		return ClassWeights{List: list}, ""
	case typeBytes:
		if r.isText() || r.kind == numeral {
			if n, err := ParseBytes(r.text); err == nil {
				return n, ""
			}
		}
		return nil, f.refuse(r)
	case typeNumbers:
		if x, ok := float(r); ok && f.alone {
			return []float64{x}, ""
		}
		if list, ok := floats(r); ok {
			return list, ""
		}
		return nil, f.refuse(r)
	case typePair:
		list, ok := floats(r)
		if !ok || len(list) != 2 {
			return nil, f.refuse(r)
		}
		return [2]float64(list), ""
	case typeTexts:
		list := make([]string, len(r.list))
		for i, item := range r.list {
			list[i] = item.text
			if !item.isText() {
				return nil, f.refuse(r) + "; put " + item.String() + " in quotes"
			}
		}
		if r.kind != sequence {
			return nil, f.refuse(r)
		}
		return list, ""
	}
	switch f.typ.Kind() {
	case reflect.Bool:
		if (r.kind == boolean || r.kind == bare) && (r.text == "true" || r.text == "false") {
			return r.text == "true", ""
		}
	case reflect.Float64:
		if x, ok := float(r); ok {
			return x, ""
		}
	case reflect.Int, reflect.Int64:
		if n, ok := integer(r); ok {
			return reflect.ValueOf(n).Convert(f.typ).Interface(), ""
		}
	case reflect.String:
		if r.isText() {
			return r.text, ""
		}
		if r.kind == numeral || r.kind == boolean {
			return nil, f.refuse(r) + `; if that is meant, put it in quotes: "` + r.text + `"`
		}
	}
	return nil, f.refuse(r)
}

// refuse says what was found and what would be right.
func (f *field) refuse(r raw) string {
	found := r.String()
	if r.kind == sequence && f.typ != typePair {
		for _, item := range r.list { // the item that spoils the list says more than its length
			if _, ok := float(item); !ok && f.typ != typeTexts {
				found = "a list with " + item.String()
				break
			}
		}
	}
	return fmt.Sprintf("is %s, and should be %s", found, f.want())
}

func (r raw) isText() bool { return r.kind == text || r.kind == quoted || r.kind == bare }

func floats(r raw) ([]float64, bool) {
	list := make([]float64, len(r.list))
	for i, item := range r.list {
		x, ok := float(item)
		if !ok {
			return nil, false
		}
		list[i] = x
	}
	return list, r.kind == sequence
}

// float reads a number. Unquoted text will do where it spells one: YAML 1.1
// takes 5e-4, without a point, for text.
func float(r raw) (float64, bool) {
	if r.kind != numeral && r.kind != text && r.kind != bare {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(r.text), 64)
	return x, err == nil && !math.IsInf(x, 0) && !math.IsNaN(x)
}

// integer reads a whole number, which may be written 1e3 or 10.0.
func integer(r raw) (int64, bool) {
	if r.kind == numeral || r.kind == bare || r.kind == text {
		if n, err := strconv.ParseInt(strings.TrimSpace(r.text), 10, 64); err == nil {
			return n, true
		}
	}
	const exact = 1 << 53 // beyond it a float64 leaves out whole numbers
	x, ok := float(r)
	return int64(x), ok && x == math.Trunc(x) && math.Abs(x) <= exact
}
