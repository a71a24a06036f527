package pickle_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint/internal/pickle"
)

// noHost offers nothing.
type noHost struct{}

func (noHost) Global(module, name string) (any, error) {
	return nil, &pickle.NotAllowed{Module: module, Name: name}
}
func (noHost) Persistent(id any) (any, error) { return fmt.Sprintf("<%v>", id), nil }

func decode(s string) (any, error) {
	return pickle.Decode(pickle.NewReader(strings.NewReader(s), int64(len(s))), noHost{})
}

func ExampleDecode() {
	text := "\x80\x02}X\x05\x00\x00\x00epochK\x03s." // pickle.dumps({"epoch": 3}, 2)
	v, err := pickle.Decode(pickle.NewReader(strings.NewReader(text), int64(len(text))), noHost{})
	fmt.Println(v.(*pickle.Dict).Items, err)

	text = "cos\nsystem\n(S'ls'\ntR." // what runs a command in Python
	_, err = pickle.Decode(pickle.NewReader(strings.NewReader(text), int64(len(text))), noHost{})
	var refused *pickle.NotAllowed
	fmt.Println(errors.As(err, &refused), refused.Module, refused.Name)
	// Output:
	// [{epoch 3}] <nil>
	// true os system
}

// show writes a value as Python's repr does.
func show(v any) string {
	list := func(open, close string, vs []any) string {
		parts := make([]string, len(vs))
		for i, x := range vs {
			parts[i] = show(x)
		}
		return open + strings.Join(parts, ", ") + close
	}
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case string:
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("b%q", v)
	case *big.Int:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case pickle.Tuple:
		return list("(", ")", v)
	case *pickle.List:
		return list("[", "]", v.Items)
	case *pickle.Set:
		return list("{", "}", v.Items)
	case *pickle.Dict:
		var parts []string
		for _, it := range v.Items {
			parts = append(parts, show(it.Key)+": "+show(it.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// values are Python expressions with what they must decode to.
var values = []struct{ python, want string }{
	{`None`, `None`},
	{`[True, False]`, `[True, False]`},
	{`[0, 1, 255, 256, 65535, 65536, -1, -300, 2**31-1, -2**31, 2**31, -2**63, 2**63, 2**80, -2**80]`,
		`[0, 1, 255, 256, 65535, 65536, -1, -300, 2147483647, -2147483648, 2147483648, -9223372036854775808, 9223372036854775808, 1208925819614629174706176, -1208925819614629174706176]`},
	{`[1.5, -0.25, 1e300]`, `[1.5, -0.25, 1e+300]`},
	{`["", "abc", "\u00e4\u20ac\U0001F600", "a\nb\\c", "x" * 300]`, `["", "abc", "ä€😀", "a\nb\\c", "` + strings.Repeat("x", 300) + `"]`},
	{`[b"", b"\x00\xff", bytearray(b"\x01\xfe")]`, `[b"", b"\x00\xff", b"\x01\xfe"]`},
	{`((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))`, `((), (1), (1, 2), (1, 2, 3), (1, 2, 3, 4))`},
	{`{"a": [], "b": {}, 3: None, (1, 2): "t"}`, `{"a": [], "b": {}, 3: None, (1, 2): "t"}`},
	{`[{7}, frozenset([8])]`, `[{7}, {8}]`},
	{`collections.OrderedDict([("z", 1), ("a", 2)])`, `{"z": 1, "a": 2}`},
	{`collections.Counter("aab")`, `{"a": 2, "b": 1}`},
	{`complex(1, -2)`, `(1-2i)`},
	{`(lambda s: [s, s, [s]])("shared")`, `["shared", "shared", ["shared"]]`},
	{`list(range(2500))[::500]`, `[0, 500, 1000, 1500, 2000]`},
}

// TestPython decodes what a Python at hand writes in every protocol.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: TestProtocols covers less")
	}
	script := "import pickle, collections\n"
	for _, v := range values {
		script += fmt.Sprintf("for p in range(6): print(pickle.dumps(%s, p).hex())\n", v.python)
	}
	out, err := exec.Command(python, "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(out))
	for i, v := range values {
		for protocol := range 6 {
			if protocol < 2 && (strings.Contains(v.python, "Counter") || strings.Contains(v.python, "complex")) {
				continue // written through copy_reg, as no checkpoint is
			}
			text, err := hex.DecodeString(lines[6*i+protocol])
			if err != nil {
				t.Fatal(err)
			}
			if got, err := decode(string(text)); err != nil || show(got) != v.want {
				t.Errorf("%s, protocol %d: %s, %v, want %s", v.python, protocol, show(got), err, v.want)
			}
		}
	}
}

// TestProtocols needs no Python: one value as pickle.dumps writes it.
func TestProtocols(t *testing.T) {
	const want = `{"k": [1, -2, 2.5, None, True], "t": (3, "ä")}`
	for protocol, text := range []string{
		"(dp0\nVk\np1\n(lp2\nI1\naI-2\naF2.5\naNaI01\nasVt\np3\n(I3\nV\xe4\np4\ntp5\ns.",
		"}q\x00(X\x01\x00\x00\x00kq\x01]q\x02(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00NI01\neX\x01\x00\x00\x00tq\x03(K\x03X\x02\x00\x00\x00\xc3\xa4q\x04tq\x05u.",
		"\x80\x02}q\x00(X\x01\x00\x00\x00kq\x01]q\x02(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00N\x88eX\x01\x00\x00\x00tq\x03K\x03X\x02\x00\x00\x00\xc3\xa4q\x04\x86q\x05u.",
		"\x80\x03}q\x00(X\x01\x00\x00\x00kq\x01]q\x02(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00N\x88eX\x01\x00\x00\x00tq\x03K\x03X\x02\x00\x00\x00\xc3\xa4q\x04\x86q\x05u.",
		"\x80\x04\x95,\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01k\x94]\x94(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00N\x88e\x8c\x01t\x94K\x03\x8c\x02\xc3\xa4\x94\x86\x94u.",
		"\x80\x05\x95,\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01k\x94]\x94(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00N\x88e\x8c\x01t\x94K\x03\x8c\x02\xc3\xa4\x94\x86\x94u.",
	} {
		got, err := decode(text)
		if err != nil || show(got) != want {
			t.Errorf("protocol %d: %s, %v, want %s", protocol, show(got), err, want)
		}
	}
}

func TestPython2Strings(t *testing.T) {
	for text, want := range map[string]string{
		`S'a\n\x41\''` + "\np0\n.":     `"a\nA'"`,
		"U\x03abc.":                    `"abc"`,
		"T\x02\x00\x00\x00\xff\x00.":   `"\xff\x00"`,
		"Va\\u20ac\\x\n.":              `"a€\\x"`,
		"(I01\nI00\nI-5\nL12L\nl.":     `[True, False, -5, 12]`,
		"(dS'a'\nI1\ns.":               `{"a": 1}`,
		"(S'a'\nF1e3\nd.":              `{"a": 1000}`,
		"Pstorage 5\n.":                `"<storage 5>"`,
		"NI1\n0.":                      `None`,
		"]2a.":                         ``, // a list in itself: shown nowhere
		"(NN1I3\n.":                    `3`,
		"]q\x00(I1\nI2\neh\x00\x86.":   ``,
		"\x80\x04\x8f(K\x01K\x02\x90.": `{1, 2}`,
	} {
		got, err := decode(text)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil || show(got) != want {
			t.Errorf("%q: %s, %v, want %s", text, show(got), err, want)
		}
	}
}

func TestPicklesLieOneAfterAnother(t *testing.T) {
	const text = "\x80\x02K\x01.\x80\x02K\x02.rest"
	r := pickle.NewReader(strings.NewReader(text), int64(len(text)))
	for want := int64(1); want <= 2; want++ {
		v, err := pickle.Decode(r, noHost{})
		if err != nil || v != want || r.Pos() != 5*want {
			t.Errorf("pickle %d: %v, %v, at byte %d", want, v, err, r.Pos())
		}
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"os": "os", "\x1b[2J": `"\x1b[2J"`, "a\xff": `"a\xff"`, "ä": "ä", strings.Repeat("x", 500): strings.Repeat("x", 120) + "...",
	} {
		if got := pickle.Printable(s); got != want {
			t.Errorf("Printable(%q) is %s, want %s", s, got, want)
		}
	}
}

// FuzzDecode: no input may panic or run long.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"\x80\x02}X\x05\x00\x00\x00epochK\x03s.", "(dS'a'\nI1\ns.", "\x80\x04\x8f(K\x01K\x02\x90.",
		"\x80\x02ccollections\nOrderedDict\n)Rq\x00(K\x01h\x00u}b.", "\x80\x02c__builtin__\nset\n](K\x01e\x85R.",
		"\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x00\x96\x01\x00\x00\x00\x00\x00\x00\x00a\x94.", "Va\\u20ac\n.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { decode(s) })
}
