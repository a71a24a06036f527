package configs

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// keyExtends names the configuration that a file builds on.
const keyExtends = "extends"

// setting is one key given a value of its field's own type.
type setting struct {
	*field
	value any
	where string
}

// layer is what one file says.
type layer struct {
	extends      string
	extendsWhere string
	settings     []setting
}

// maxFile is far more than any configuration and little enough to parse; it
// keeps a checkpoint named by mistake out of the parser.
const maxFile = 64 << 10

// readText reads a configuration file's text, or says that it is none.
func readText(name string, r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the configuration: %w", err)
	case len(content) > maxFile || !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0:
		return nil, Invalid{{name, "is not a configuration, which is a YAML text of at most 64 KiB"}}
	}
	return content, nil
}

// parse reads a file's settings; every problem in it is noted.
func parse(name string, content []byte, problems *Invalid) layer {
	l := layer{}
	file, err := parseYAML(content)
	if err != nil {
		line, message := syntaxError(err)
		problems.add(fmt.Sprintf("%s:%d", name, line), "is not YAML: %s", message)
		return l
	}
	body := ast.Node(nil)
	for _, doc := range file.Docs {
		if body != nil && doc.Body != nil {
			problems.add(where(name, doc.Body), "starts a second document; a configuration is one")
			return l
		}
		if doc.Body != nil {
			body = doc.Body
		}
	}
	for _, entry := range entries(name, body, "the configuration", problems) {
		l.readEntry(name, entry, problems)
	}
	return l
}

// readEntry reads extends or one section.
func (l *layer) readEntry(name string, entry *ast.MappingValueNode, problems *Invalid) {
	key, at := entryKey(entry), where(name, entry.Key)
	if key == keyExtends {
		if v := rawNode(entry.Value); v.isText() && v.text != "" {
			l.extends, l.extendsWhere = v.text, at
		} else {
			problems.add(at, "extends is %s, and should be a recipe's name or a file, relative to this one", v)
		}
		return
	}
	s := findSection(key)
	if s == nil {
		problems.add(at, "unknown key %s%s", key, suggestSection(key))
		return
	}
	for _, inner := range entries(name, entry.Value, s.key, problems) {
		key, at := entryKey(inner), where(name, inner.Key)
		f := findField(s.key + "." + key)
		if f == nil {
			problems.add(at, "unknown key %s.%s%s", s.key, key, suggestField(s, key))
			continue
		}
		value, wrong := f.value(rawNode(inner.Value))
		if wrong != "" {
			problems.add(at, "%s %s", f.path(), wrong)
			continue
		}
		l.settings = append(l.settings, setting{f, value, at})
	}
}

// entries lists the keys of a map. A section without any, such as one whose
// keys are all commented out, is an empty map.
func entries(name string, n ast.Node, what string, problems *Invalid) []*ast.MappingValueNode {
	switch n := n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	problems.add(where(name, n), "%s is %s, and should be a map of keys", what, rawNode(n))
	return nil
}

func entryKey(entry *ast.MappingValueNode) string {
	if k, ok := entry.Key.(*ast.StringNode); ok {
		return k.Value
	}
	return strings.TrimSpace(entry.Key.String())
}

func where(name string, n ast.Node) string {
	return fmt.Sprintf("%s:%d", name, n.GetToken().Position.Line)
}

// parseYAML turns a panic of the parser, which other people's text must not
// cause here, into an error.
func parseYAML(content []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser gave up on it (%v)", r)
		}
	}()
	return parser.ParseBytes(content, 0)
}

// syntaxError takes a parser's error apart; it spreads over several lines.
func syntaxError(err error) (line int, message string) {
	if e, ok := err.(yaml.Error); ok && e.GetToken() != nil {
		return e.GetToken().Position.Line, e.GetMessage()
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return 1, first
}
