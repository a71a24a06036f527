package pickle

import (
	"fmt"
	"strconv"
	"strings"
)

// Host gives meaning to what a pickle refers to outside itself.
type Host interface {
	// Global returns what module.name stands for; to be called, the value
	// must be a Callable. Refuse with a *NotAllowed.
	Global(module, name string) (any, error)
	// Persistent returns the object that a persistent id denotes.
	Persistent(id any) (any, error)
}

// Callable is a global that a pickle may call with positional arguments.
type Callable interface {
	Call(args Tuple) (any, error)
}

// Builder is an object that takes the state of a BUILD instruction.
type Builder interface {
	Build(state any) error
}

// NotAllowed refuses a global.
type NotAllowed struct {
	Module, Name string
}

// Error names the global.
func (e *NotAllowed) Error() string {
	return fmt.Sprintf("global %s.%s is not allowed: a checkpoint may hold only tensors, numbers, strings and containers of them; "+
		"save the state dict alone", Printable(e.Module), Printable(e.Name))
}

// Printable is s where it can be shown on a terminal as it is, else s quoted;
// a long one is cut.
func Printable(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "..."
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) || r == '\uFFFD' }) {
		return strconv.Quote(s)
	}
	return s
}

// builtin is a container type or helper of Python that pickles may call.
type builtin struct {
	name string
	call func(m *machine, args Tuple) (any, error)
}

// builtins are the globals by which Python writes its own plain values.
var builtins = map[string]*builtin{}

func init() {
	for names, call := range map[string]func(*machine, Tuple) (any, error){
		"collections.OrderedDict collections.Counter": newDict,
		"builtins.set __builtin__.set":                newSet,
		"builtins.frozenset __builtin__.frozenset":    newSet,
		"builtins.bytearray __builtin__.bytearray":    newBytes,
		"builtins.bytes __builtin__.bytes":            newBytes,
		"builtins.complex __builtin__.complex":        newComplex,
		"_codecs.encode":                              encodeLatin1,
	} {
		for name := range strings.FieldsSeq(names) {
			builtins[name] = &builtin{name, call}
		}
	}
}

// newDict takes nothing, a dict, or a list of pairs.
func newDict(m *machine, args Tuple) (any, error) {
	d := new(Dict)
	if len(args) == 0 {
		return d, nil
	}
	if from, ok := args[0].(*Dict); ok && len(args) == 1 {
		if err := m.pay(itemCost * len(from.Items)); err != nil {
			return nil, err
		}
		for _, it := range from.Items {
			d.Set(it.Key, it.Value)
		}
		return d, nil
	}
	pairs, ok := items(args)
	if !ok {
		return nil, fmt.Errorf("a dict is made from %s", describe(args))
	}
	if err := m.pay(itemCost * len(pairs)); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		kv, ok := items(Tuple{p})
		if !ok || len(kv) != 2 {
			return nil, fmt.Errorf("a dict is made from a list that holds a %s where a pair was expected", TypeName(p))
		}
		d.Set(kv[0], kv[1])
	}
	return d, nil
}

// newSet takes nothing or a list.
func newSet(m *machine, args Tuple) (any, error) {
	if len(args) == 0 {
		return new(Set), nil
	}
	list, ok := items(args)
	if !ok {
		return nil, fmt.Errorf("a set is made from %s", describe(args))
	}
	if err := m.pay(itemCost * len(list)); err != nil {
		return nil, err
	}
	return &Set{append([]any(nil), list...)}, nil
}

// newBytes takes nothing, bytes, or a string with the encoding latin1.
func newBytes(m *machine, args Tuple) (any, error) {
	switch len(args) {
	case 0:
		return []byte{}, nil
	case 1:
		if b, ok := args[0].([]byte); ok {
			return b, nil
		}
	case 2:
		return encodeLatin1(m, args)
	}
	return nil, fmt.Errorf("bytes are made from %s", describe(args))
}

// newComplex takes the real and the imaginary part.
func newComplex(_ *machine, args Tuple) (any, error) {
	if len(args) == 2 {
		re, ok1 := args[0].(float64)
		im, ok2 := args[1].(float64)
		if ok1 && ok2 {
			return complex(re, im), nil
		}
	}
	return nil, fmt.Errorf("a complex number is made from %s", describe(args))
}

// encodeLatin1 is how protocol 2 writes bytes: _codecs.encode(text, "latin1").
func encodeLatin1(m *machine, args Tuple) (any, error) {
	if len(args) == 2 {
		s, ok := args[0].(string)
		if ok && (args[1] == "latin1" || args[1] == "latin-1") {
			if err := m.pay(len(s)); err != nil {
				return nil, err
			}
			b := make([]byte, 0, len(s))
			for _, r := range s {
				if r > 255 {
					return nil, fmt.Errorf("bytes are made from a text with the character %q", r)
				}
				b = append(b, byte(r))
			}
			return b, nil
		}
	}
	return nil, fmt.Errorf("bytes are made from %s", describe(args))
}

// items are the elements of the one argument, a list or a tuple.
func items(args Tuple) ([]any, bool) {
	if len(args) != 1 {
		return nil, false
	}
	switch v := args[0].(type) {
	case *List:
		return v.Items, true
	case Tuple:
		return v, true
	}
	return nil, false
}

// describe lists the types of arguments.
func describe(args Tuple) string {
	const most = 8
	types := make([]string, 0, most)
	for i, a := range args {
		if i == most {
			types = append(types, "...")
			break
		}
		types = append(types, TypeName(a))
	}
	return "(" + strings.Join(types, ", ") + ")"
}
