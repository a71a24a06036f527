package checkpoint

import (
	"fmt"
	"iter"
	"strings"
)

// Tensors is an ordered collection of tensors with distinct names. The zero
// value is empty and ready; a nil *Tensors reads as empty.
type Tensors struct {
	list  []Tensor
	index map[string]int
	later map[string]func() ([]byte, error) // of tensors without data
}

// NewTensors collects the given tensors; see Add.
func NewTensors(list ...Tensor) (*Tensors, error) {
	c := new(Tensors)
	for _, t := range list {
		if err := c.Add(t); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Add appends a tensor. It refuses a name that is already there, and data
// whose size differs from what the shape asks for.
func (c *Tensors) Add(t Tensor) error {
	if err := t.check(); err != nil {
		return err
	}
	return c.add(t)
}

// AddLater appends a tensor without Data, which make gives when the tensor is
// written, so that the tensors of a file need not lie in memory together. What it
// gave may change when another tensor is made. Nothing but writing calls it: such
// a tensor cannot be read.
func (c *Tensors) AddLater(t Tensor, make func() ([]byte, error)) error {
	if _, ok := elements(t.Shape); !ok || t.DType.Size() == 0 || t.Data != nil {
		return fmt.Errorf("tensor %s: to be made later it needs a shape and a type, and no data; it has %v of %v and %d bytes", t.Name, t.Shape, t.DType, len(t.Data))
	}
	if err := c.add(t); err != nil {
		return err
	}
	if c.later == nil {
		c.later = map[string]func() ([]byte, error){}
	}
	c.later[t.Name] = make
	return nil
}

// content is a tensor's data, or what is made in its place.
func (c *Tensors) content(t Tensor) ([]byte, error) {
	make := c.later[t.Name]
	if make == nil {
		return t.Data, nil
	}
	data, err := make()
	if err != nil {
		return nil, err
	}
	t.Data = data
	return data, t.check()
}

func (c *Tensors) add(t Tensor) error {
	if _, ok := c.index[t.Name]; ok {
		return fmt.Errorf("tensor %s occurs twice", t.Name)
	}
	if c.index == nil {
		c.index = make(map[string]int)
	}
	c.index[t.Name] = len(c.list)
	c.list = append(c.list, t)
	return nil
}

// Len is the number of tensors.
func (c *Tensors) Len() int {
	if c == nil {
		return 0
	}
	return len(c.list)
}

// Get finds a tensor by its name.
func (c *Tensors) Get(name string) (Tensor, bool) {
	if c == nil {
		return Tensor{}, false
	}
	i, ok := c.index[name]
	if !ok {
		return Tensor{}, false
	}
	return c.list[i], true
}

// All runs over the tensors in order.
func (c *Tensors) All() iter.Seq[Tensor] {
	return func(yield func(Tensor) bool) {
		for i := range c.Len() {
			if !yield(c.list[i]) {
				return
			}
		}
	}
}

// Names lists the names in order.
func (c *Tensors) Names() []string {
	names := make([]string, 0, c.Len())
	for t := range c.All() {
		names = append(names, t.Name)
	}
	return names
}

// renamed is the collection with every name passed through f, which must keep
// the names distinct. Data is shared.
func (c *Tensors) renamed(f func(string) string) *Tensors {
	out := &Tensors{list: make([]Tensor, 0, c.Len()), index: make(map[string]int, c.Len())}
	for t := range c.All() {
		t.Name = f(t.Name)
		out.index[t.Name] = len(out.list)
		out.list = append(out.list, t)
	}
	return out
}

// wrapperPrefixes are what DistributedDataParallel, torch.compile and trainers
// that hold the network in a field put before every name.
var wrapperPrefixes = []string{"module.", "_orig_mod.", "model."}

// stripPrefixes removes wrapper prefixes that every name has, as often as
// that is so, and returns what it removed.
func stripPrefixes(c *Tensors) (*Tensors, string) {
	names, removed := c.Names(), ""
	for {
		prefix := commonPrefix(names)
		if prefix == "" {
			break
		}
		for i := range names {
			names[i] = names[i][len(prefix):]
		}
		removed += prefix
	}
	if removed == "" {
		return c, ""
	}
	return c.renamed(func(name string) string { return name[len(removed):] }), removed
}

// commonPrefix is the wrapper prefix that stands before a non-empty rest in
// every name, or nothing.
func commonPrefix(names []string) string {
search:
	for _, p := range wrapperPrefixes {
		for _, name := range names {
			if !strings.HasPrefix(name, p) || len(name) == len(p) {
				continue search
			}
		}
		if len(names) > 0 {
			return p
		}
	}
	return ""
}
