package pickle

import (
	"fmt"
	"math/big"
)

// A decoded value is one of: nil, bool, int64, *big.Int, float64, complex128,
// string, []byte, Tuple, *List, *Dict, *Set, or what the Host returned.
// Containers may hold themselves.

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list.
type List struct{ Items []any }

// Set is a Python set or frozenset; equal items are not merged.
type Set struct{ Items []any }

// Item is a key of a Dict with its value.
type Item struct{ Key, Value any }

// Dict is a Python dict or OrderedDict in order of insertion. Keys that are
// strings, numbers, bool or None are unique; others are kept as they come.
type Dict struct {
	Items []Item
	index map[any]int
}

// Set gives key its value.
func (d *Dict) Set(key, value any) {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		d.Items = append(d.Items, Item{key, value})
		return
	}
	if i, ok := d.index[key]; ok {
		d.Items[i].Value = value
		return
	}
	if d.index == nil {
		d.index = make(map[any]int)
	}
	d.index[key] = len(d.Items)
	d.Items = append(d.Items, Item{key, value})
}

// Get finds the value of a string key.
func (d *Dict) Get(key string) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Items[i].Value, true
}

// TypeName names the type of a decoded value as Python would.
func TypeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case complex128:
		return "complex"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Set:
		return "set"
	case *builtin:
		return "class " + v.name
	}
	return fmt.Sprintf("%T", v)
}
