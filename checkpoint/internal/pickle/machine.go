package pickle

import (
	"errors"
	"fmt"
)

// What an instruction pays, in bytes of memory roughly.
const (
	stepCost = 16 // any instruction, with the value it leaves on the stack
	boxCost  = 48 // a container, or an entry of the memo
	itemCost = 48 // an item that moves into a container
)

const (
	maxDepth  = 1000    // open marks
	maxInt    = 1024    // bytes of one integer
	maxBudget = 1 << 28 // for a pickle of any size
)

var errUnderflow = errors.New("an instruction takes more values than there are")

// machine is the stack machine.
type machine struct {
	r      *Reader
	host   Host
	stack  []any
	marks  []int // heights of the stack at the open marks
	memo   map[uint64]any
	budget int
}

// Decode runs one pickle and returns the value it builds. The Reader stands
// behind it afterwards.
func Decode(r *Reader, host Host) (any, error) {
	m := &machine{r: r, host: host, memo: make(map[uint64]any)}
	m.budget = int(min(maxBudget, 1<<16+256*(r.size-r.pos)))
	for {
		at := r.pos
		op, err := r.byte()
		if err == nil && op == opStop {
			v, err := m.pop()
			if err != nil {
				return nil, errors.New("the pickle ends without a value")
			}
			return v, nil
		}
		if err == nil {
			err = m.pay(stepCost)
		}
		if err == nil {
			err = m.step(op)
		}
		var refused *NotAllowed
		if err != nil && errors.As(err, &refused) {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("pickle, byte %d: %w", at, err)
		}
	}
}

// pay takes n from the budget.
func (m *machine) pay(n int) error {
	if m.budget -= n; m.budget < 0 || n < 0 {
		return errors.New("it builds far more than its size warrants")
	}
	return nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// fence is the height below which the values belong to an outer mark.
func (m *machine) fence() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.fence() {
		return nil, errUnderflow
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popN takes the n topmost values, in the order they were pushed.
func (m *machine) popN(n int) (Tuple, error) {
	at := len(m.stack) - n
	if at < m.fence() {
		return nil, errUnderflow
	}
	vs := append(Tuple(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return vs, nil
}

// popMark takes the values above the last mark, and the mark.
func (m *machine) popMark() (Tuple, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("an instruction needs a mark and there is none")
	}
	n := len(m.stack) - m.fence()
	if err := m.pay(itemCost * n); err != nil {
		return nil, err
	}
	vs, err := m.popN(n)
	m.marks = m.marks[:len(m.marks)-1]
	return vs, err
}

func (m *machine) mark() error {
	if len(m.marks) == maxDepth {
		return fmt.Errorf("its values are nested more than %d deep", maxDepth)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

func (m *machine) memoize(key uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if err := m.pay(boxCost); err != nil {
		return err
	}
	m.memo[key] = v
	return nil
}

func (m *machine) recall(key uint64) error {
	v, ok := m.memo[key]
	if !ok {
		return fmt.Errorf("it refers to value %d, which it has not built", key)
	}
	return m.push(v)
}

func (m *machine) global(module, name string) error {
	if b, ok := builtins[module+"."+name]; ok {
		return m.push(b)
	}
	v, err := m.host.Global(module, name)
	if err != nil {
		return err
	}
	return m.push(v)
}

func (m *machine) persistent(id any) error {
	v, err := m.host.Persistent(id)
	if err != nil {
		return err
	}
	return m.push(v)
}

// reduce calls the value below the tuple of arguments on the stack.
func (m *machine) reduce() error {
	vs, err := m.popN(2)
	if err != nil {
		return err
	}
	args, ok := vs[1].(Tuple)
	if !ok {
		return fmt.Errorf("a call has a %s where a tuple of arguments was expected", TypeName(vs[1]))
	}
	var v any
	switch f := vs[0].(type) {
	case *builtin:
		if err := m.pay(boxCost); err != nil {
			return err
		}
		v, err = f.call(m, args)
	case Callable:
		if err := m.pay(boxCost + itemCost*len(args)); err != nil {
			return err
		}
		v, err = f.Call(args)
	default:
		return fmt.Errorf("it calls a %s", TypeName(vs[0]))
	}
	if err != nil {
		return err
	}
	return m.push(v)
}

// build gives an object its state. A dict's attributes, such as the _metadata
// of a state dict, are dropped.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	obj, err := m.top()
	if err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *Dict:
		return nil
	case Builder:
		return obj.Build(state)
	}
	return fmt.Errorf("it sets the state of a %s", TypeName(obj))
}

func (m *machine) appendTo(vs []any) error {
	obj, err := m.top()
	if err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *List:
		obj.Items = append(obj.Items, vs...)
	case *Set:
		obj.Items = append(obj.Items, vs...)
	default:
		return fmt.Errorf("it appends to a %s", TypeName(obj))
	}
	return nil
}

func (m *machine) setItems(vs []any) error {
	obj, err := m.top()
	if err != nil {
		return err
	}
	d, ok := obj.(*Dict)
	if !ok {
		return fmt.Errorf("it sets an item of a %s", TypeName(obj))
	}
	return fill(d, vs)
}

// fill sets alternating keys and values.
func fill(d *Dict, vs []any) error {
	if len(vs)%2 != 0 {
		return errors.New("a dict has a key without a value")
	}
	for i := 0; i < len(vs); i += 2 {
		d.Set(vs[i], vs[i+1])
	}
	return nil
}
