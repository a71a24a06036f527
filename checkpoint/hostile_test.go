package checkpoint

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// op builds pickles: bytes are kept, ints become BININT, strings BINUNICODE.
func op(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		switch p := p.(type) {
		case rune:
			b.WriteByte(byte(p))
		case code:
			b.WriteString(string(p))
		case int:
			b.WriteByte('J')
			binary.Write(&b, binary.LittleEndian, int32(p))
		case string:
			b.WriteByte('X')
			binary.Write(&b, binary.LittleEndian, uint32(len(p)))
			b.WriteString(p)
		}
	}
	return b.String()
}

// code is opcodes as they are.
type code string

// legacyFile puts a pickle into a legacy PyTorch file, which has one float
// storage "0" of 4 elements if the pickle mentions one.
func legacyFile(pickle string) []byte {
	magic := "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
	version := "\x80\x02M\xe9\x03."
	system := "\x80\x02}."
	keys := op(code("\x80\x02]"), "0", code("a."))
	storage := "\x04\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00\x00\x80?", 4)
	if !strings.Contains(pickle, "FloatStorage") {
		keys, storage = "\x80\x02].", ""
	}
	return []byte(magic + version + system + pickle + keys + storage)
}

// tensor is a pickle of {"w": a view of storage 0}.
func tensor(numel, offset int, size, stride []int) string {
	tuple := func(vs []int) code {
		s := "("
		for _, v := range vs {
			s += op(v)
		}
		return code(s + "t")
	}
	return op(code("\x80\x02}"), "w", code("ctorch._utils\n_rebuild_tensor_v2\n(("),
		"storage", code("ctorch\nFloatStorage\n"), "0", "cpu", numel, code("NtQ"),
		offset, tuple(size), tuple(stride), code("\x89}tRs."))
}

var hostile = []struct {
	name, text, want string
}{
	{"os.system", "\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.", "global os.system is not allowed"},
	{"builtins.eval", "\x80\x02cbuiltins\neval\nX\x03\x00\x00\x001+1\x85R.", "global builtins.eval is not allowed"},
	{"python 2 eval", "c__builtin__\neval\n(S'1+1'\ntR.", "global __builtin__.eval is not allowed"},
	{"stack global", op(code("\x80\x04"), "subprocess", "Popen", code("\x93.")), "global subprocess.Popen is not allowed"},
	{"inst", "(S'ls'\nios\nsystem\n.", "global os.system is not allowed"},
	{"torch.load", "\x80\x02ctorch\nload\n.", "global torch.load is not allowed"},
	{"getattr by dots", op(code("\x80\x04"), "torch", "_utils._rebuild_tensor_v2.__globals__", code("\x93.")), "is not allowed"},
	{"escape sequence in a name", "\x80\x02c\x1b[2J\nx\n.", `global "\x1b[2J".x is not allowed`},
	{"extension registry", "\x80\x02\x82\x01.", "extension registry"},
	{"newobj", "\x80\x02ccollections\nOrderedDict\n)\x81.", "makes an instance"},
	{"huge LONG4", "\x80\x02\x8b\xff\xff\xff\x7f.", "an integer claims 2147483647 bytes"},
	{"LONG4 beyond the end", "\x80\x02\x8b\x00\x04\x00\x00.", "claims 1024 bytes"},
	{"huge text", "\x80\x02X\xff\xff\xff\x0f.", "a value claims"},
	{"huge bytes", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "claims 18446744073709551615 bytes"},
	{"memo index", "\x80\x02}r\xff\xff\xff\xff0j\xfe\xff\xff\xff.", "refers to value 4294967294"},
	{"memo bomb", "\x80\x02" + memoBomb(64), "builds far more than its size warrants"},
	{"list doubling", "\x80\x02" + doubling(40), "holds a list where a state dict"},
	{"deep marks", "\x80\x02" + strings.Repeat("(", 100_000), "nested more than"},
	{"deep lists", "\x80\x02" + strings.Repeat("]", 100_000) + strings.Repeat("a", 99_999) + ".", "holds a list where a state dict"},
	{"deep tuples", "\x80\x02)" + strings.Repeat("\x85", 100_000) + ".", "holds a tuple where a state dict"},
	{"list in itself", "\x80\x02]q\x00h\x00a.", "holds a list where a state dict"},
	{"dict in itself", op(code("\x80\x02}q\x00"), "state_dict", code("h\x00s.")), "there is no state dict in it"},
	{"dict as its own model", op(code("\x80\x02}q\x00("), "model", code("h\x00"), "module", code("h\x00u.")), "there is no state dict in it"},
	{"underflow", "\x80\x02R.", "takes more values than there are"},
	{"pop below a mark", "\x80\x02N(R.", "takes more values than there are"},
	{"setitems of a list", "\x80\x02](NNu.", "sets an item of a list"},
	{"odd dict", "\x80\x02}(Nu.", "a key without a value"},
	{"no mark", "\x80\x02}u.", "needs a mark"},
	{"calls a string", op(code("\x80\x02"), "f", code(")R.")), "it calls a str"},
	{"calls a storage's type", "\x80\x02ctorch\nFloatStorage\n)R.", "it calls a"},
	{"persistent id", op(code("\x80\x02"), "0", code("Q.")), "where a reference to a storage was expected"},
	{"builds a list", "\x80\x02]Nb.", "sets the state of a list"},
	{"protocol 9", "\x80\x09N.", "protocol 9 is unknown"},
	{"absurd storage", tensor(1<<31-1, 0, []int{1}, []int{1}), "storage 0 should have 8589934588 bytes and has 16"},
	{"negative storage", tensor(-1, 0, []int{1}, []int{1}), "storage 0 claims -1 elements"},
	{"offset beyond the end", tensor(4, 4, []int{1}, []int{1}), "reaches beyond the 4 elements"},
	{"negative offset", tensor(4, -1, []int{1}, []int{1}), "reaches beyond the 4 elements"},
	{"size beyond the end", tensor(4, 0, []int{5}, []int{1}), "reaches beyond the 4 elements"},
	{"stride beyond the end", tensor(4, 0, []int{2, 2}, []int{3, 1}), "reaches beyond the 4 elements"},
	{"negative stride", tensor(4, 3, []int{4}, []int{-1}), "stride -1"},
	{"negative size", tensor(4, 0, []int{-1}, []int{1}), "size -1"},
	{"absurd expansion", tensor(4, 0, []int{1 << 30, 1 << 20}, []int{0, 0}), "far too often"},
	{"overflowing shape", tensor(4, 0, []int{1 << 30, 1 << 30, 1 << 30}, []int{0, 0, 0}), "impossible shape"},
	{"strides missing", tensor(4, 0, []int{2, 2}, []int{1}), "2 dimensions and 1 strides"},
}

// memoBomb calls set() on one memoized list again and again.
func memoBomb(n int) string {
	list := "](" + strings.Repeat("N", 4000) + "eq\x00"
	return list + strings.Repeat("c__builtin__\nset\nh\x00\x85R", n) + strings.Repeat("c__builtin__\nset\nq\x01h\x00\x85R0h\x01h\x00\x85R", 8*n) + "."
}

// doubling nests a list twice in the next one: exponential if written out.
func doubling(n int) string {
	s := "]q\x00"
	for range n {
		s += "](h\x00h\x00eq\x00"
	}
	return s + "."
}

func TestHostilePickles(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			b := legacyFile(tt.text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := decode(readerAt(b), int64(len(b)), Options{})
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not say %q", err, tt.want)
			}
			// Bounds that an honest refusal is far below and a bomb far above.
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+1000*uint64(len(b)) {
				t.Errorf("a file of %d bytes made the reader allocate %d", len(b), grown)
			}
			if took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestHostileHelpersMakeReadableFiles(t *testing.T) {
	b := legacyFile(tensor(4, 1, []int{3}, []int{1}))
	f, err := decode(readerAt(b), int64(len(b)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, _ := f.Tensors.Get("w")
	if got := fmt.Sprint(w.Float32s()); got != "[1 1 1]" {
		t.Errorf("w is %s", got)
	}
}
