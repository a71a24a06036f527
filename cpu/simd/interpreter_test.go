package simd

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unsafe"
)

// An interpreter runs the generated assembly as text, so that kernels for
// wider vectors than this machine has are tested, too, and every access to
// memory is checked against the slices that a kernel was given.
type interpreter struct {
	functions map[string]*function

	general map[string]int64
	vector  [32][16]float32
	stack   map[int64]int64 // words of the frame, and parameters
	memory  []segment
	zero    bool // flags of the last arithmetic
	less    bool
	fetched []int64 // addresses that were asked for
	err     error
}

type function struct {
	code   []instruction
	labels map[string]int
	params map[string]int64 // offsets by name
}

type instruction struct {
	name string
	args []string
}

// segment is a slice of floats or of ints, by the address of its first byte.
type segment struct {
	base   int64
	floats []float32
	ints   []int
}

// frame and parameters lie at addresses of their own, which no slice has.
const (
	frameBase  = 1 << 8
	paramsBase = 1 << 12
)

var (
	textLine = regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	paramArg = regexp.MustCompile(`^(\w+)\+(\d+)\(FP\)$`)
	memArg   = regexp.MustCompile(`^(-?\d+)?\((\w+)\)(?:\((\w+)\*(\d)\))?$`)
)

// newInterpreter reads an assembly file.
func newInterpreter(path string) (*interpreter, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &interpreter{functions: map[string]*function{}}
	var f *function
	for _, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		if t := textLine.FindStringSubmatch(line); t != nil {
			f = &function{labels: map[string]int{}, params: map[string]int64{}}
			m.functions[t[1]] = f
			continue
		}
		if line == "" || f == nil {
			continue
		}
		if label, ok := strings.CutSuffix(line, ":"); ok {
			f.labels[label] = len(f.code)
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		var args []string
		for _, a := range strings.Split(rest, ",") {
			a = strings.TrimSpace(a)
			if p := paramArg.FindStringSubmatch(a); p != nil {
				f.params[p[1]], _ = strconv.ParseInt(p[2], 10, 64)
			}
			args = append(args, a)
		}
		f.code = append(f.code, instruction{name, args})
	}
	return m, nil
}

// run calls a function. Slices are passed as pointers to their first element
// and may be read and written in full; integers and floats as they are.
func (m *interpreter) run(name string, args ...any) error {
	f := m.functions[name]
	if f == nil {
		return fmt.Errorf("no function %s", name)
	}
	m.general, m.stack = map[string]int64{"SP": frameBase}, map[int64]int64{}
	m.memory, m.fetched, m.err = nil, nil, nil
	for i := range m.vector {
		for j := range m.vector[i] {
			m.vector[i][j] = float32(math.NaN())
		}
	}
	next := int64(paramsBase)
	for _, a := range args {
		at := next
		if _, single := a.(float32); single {
			next += 4
		} else {
			at = (next + 7) / 8 * 8
			next = at + 8
		}
		switch a := a.(type) {
		case int:
			m.stack[at] = int64(a)
		case float32:
			m.stack[at] = int64(math.Float32bits(a))
		case []int:
			m.stack[at] = int64(uintptr(unsafe.Pointer(unsafe.SliceData(a))))
			m.memory = append(m.memory, segment{base: m.stack[at], ints: a})
		case []float32:
			m.stack[at] = int64(uintptr(unsafe.Pointer(unsafe.SliceData(a))))
			m.memory = append(m.memory, segment{base: m.stack[at], floats: a})
		}
	}
	for pc := 0; pc < len(f.code); {
		in := f.code[pc]
		pc++
		if in.name == "RET" {
			return nil
		}
		jump := false
		switch in.name {
		case "JMP":
			jump = true
		case "JZ":
			jump = m.zero
		case "JNZ":
			jump = !m.zero
		case "JL":
			jump = m.less
		case "JGE":
			jump = !m.less
		default:
			m.step(in)
		}
		if jump {
			pc = f.labels[in.args[0]]
		}
		if m.err != nil {
			return fmt.Errorf("%s: %s %s: %w", name, in.name, strings.Join(in.args, ", "), m.err)
		}
	}
	return fmt.Errorf("%s runs past its end", name)
}

// step runs one instruction; the last operand is the destination.
func (m *interpreter) step(in instruction) {
	a := in.args
	dst := a[len(a)-1]
	arithmetic := func(v int64) {
		m.put(dst, v)
		m.zero, m.less = v == 0, v < 0
	}
	switch in.name {
	case "VZEROUPPER":
	case "PREFETCHT1":
		m.fetched = append(m.fetched, m.address(a[0]))
	case "MOVQ":
		m.put(dst, m.get(a[0]))
	case "LEAQ":
		m.put(dst, m.address(a[0]))
	case "ADDQ":
		arithmetic(m.get(dst) + m.get(a[0]))
	case "SUBQ":
		arithmetic(m.get(dst) - m.get(a[0]))
	case "INCQ":
		arithmetic(m.get(dst) + 1)
	case "DECQ":
		arithmetic(m.get(dst) - 1)
	case "XORQ":
		arithmetic(m.get(dst) ^ m.get(a[0]))
	case "SHLQ":
		arithmetic(m.get(dst) << m.get(a[0]))
	case "TESTQ":
		m.zero = m.get(dst)&m.get(a[0]) == 0
	case "VMOVUPS", "VMOVAPS":
		m.setLanes(dst, m.lanes(a[0], width(a[0], dst)))
	case "VMOVSD":
		m.setLanes(dst, m.lanes(a[0], 2))
	case "VBROADCASTSS":
		v := m.lanes(a[0], 1)[0]
		all := make([]float32, width(dst))
		for i := range all {
			all[i] = v
		}
		m.setLanes(dst, all)
	case "VXORPS", "VPXORQ":
		if a[0] != a[1] || a[1] != dst {
			m.err = fmt.Errorf("only known as a way to clear a register")
		}
		m.setLanes(dst, make([]float32, width(dst)))
	case "VFMADD231PS", "VADDPS", "VMAXPS", "VMINPS":
		n := width(dst)
		x, y, d := m.lanes(a[0], n), m.lanes(a[1], n), m.lanes(dst, n)
		for i := range d {
			switch in.name {
			case "VFMADD231PS":
				d[i] = float32(math.FMA(float64(x[i]), float64(y[i]), float64(d[i])))
			case "VADDPS":
				d[i] = x[i] + y[i]
			case "VMINPS":
				d[i] = x[i]
				if y[i] < x[i] {
					d[i] = y[i]
				}
			case "VMAXPS":
				d[i] = x[i] // also where one is not a number
				if y[i] > x[i] {
					d[i] = y[i]
				}
			}
		}
		m.setLanes(dst, d)
	default:
		m.err = fmt.Errorf("unknown instruction")
	}
}

// width is the number of floats in the first vector register among operands.
func width(operands ...string) int {
	for _, o := range operands {
		if n, ok := map[byte]int{'X': 4, 'Y': 8, 'Z': 16}[o[0]]; ok && !strings.Contains(o, "(") {
			return n
		}
	}
	return 0
}

// address is where a memory operand points.
func (m *interpreter) address(o string) int64 {
	if p := paramArg.FindStringSubmatch(o); p != nil {
		at, _ := strconv.ParseInt(p[2], 10, 64)
		return paramsBase + at
	}
	p := memArg.FindStringSubmatch(o)
	if p == nil {
		m.err = fmt.Errorf("operand %s is not memory", o)
		return 0
	}
	at, _ := strconv.ParseInt("0"+strings.TrimPrefix(p[1], "-"), 10, 64)
	if strings.HasPrefix(p[1], "-") {
		at = -at
	}
	at += m.general[p[2]]
	if p[3] != "" {
		scale, _ := strconv.ParseInt(p[4], 10, 64)
		at += m.general[p[3]] * scale
	}
	return at
}

func (m *interpreter) get(o string) int64 {
	if imm, ok := strings.CutPrefix(o, "$"); ok {
		v, err := strconv.ParseInt(imm, 0, 64)
		if err != nil {
			m.err = err
		}
		return v
	}
	if !strings.Contains(o, "(") {
		return m.general[o]
	}
	at := m.address(o)
	if at < 1<<16 {
		return m.stack[at]
	}
	for _, s := range m.memory {
		if i := (at - s.base) / 8; s.ints != nil && at >= s.base && i < int64(len(s.ints)) {
			return int64(s.ints[i])
		}
	}
	m.err = fmt.Errorf("%s reads outside every slice", o)
	return 0
}

func (m *interpreter) put(o string, v int64) {
	if strings.Contains(o, "(") {
		m.stack[m.address(o)] = v
		return
	}
	m.general[o] = v
}

func (m *interpreter) register(o string) *[16]float32 {
	i, err := strconv.Atoi(o[1:])
	if err != nil || i > 31 || o[0] != 'Z' && i > 15 {
		m.err = fmt.Errorf("%s is no register of its width", o)
		return &m.vector[0]
	}
	return &m.vector[i]
}

// slice is the n floats at a memory operand.
func (m *interpreter) slice(o string, n int) []float32 {
	at := m.address(o)
	if at < 1<<16 {
		return []float32{math.Float32frombits(uint32(m.stack[at]))}
	}
	for _, s := range m.memory {
		if i := (at - s.base) / 4; s.floats != nil && at >= s.base && i+int64(n) <= int64(len(s.floats)) {
			return s.floats[i:][:n]
		}
	}
	m.err = fmt.Errorf("%d floats at %s are not inside any slice", n, o)
	return make([]float32, n)
}

func (m *interpreter) lanes(o string, n int) []float32 {
	if strings.Contains(o, "(") {
		return append([]float32(nil), m.slice(o, n)...)
	}
	return append([]float32(nil), m.register(o)[:n]...)
}

func (m *interpreter) setLanes(o string, v []float32) {
	if strings.Contains(o, "(") {
		copy(m.slice(o, len(v)), v)
		return
	}
	r := m.register(o)
	clear(r[copy(r[:], v):])
}
