package cpu

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/graph/op"
)

// TestEveryLevel runs the tests of results at each lower level than the active
// one, since a process has one level.
func TestEveryLevel(t *testing.T) {
	if os.Getenv(isa.EnvVar) != "" {
		t.Skipf("%s is set: this run is about that level", isa.EnvVar)
	}
	for level := isa.Generic; level < isa.Active(); level++ {
		cmd := exec.Command(os.Args[0], "-test.run", "^(TestFastAgainstPortable|TestMaxPoolGrad|TestPyTorch|TestValues|TestWrongLabel.*|TestActivationEnds|TestBatchNormFarFromZero|TestRepetitionGivesTheSameBits)$")
		cmd.Env = append(os.Environ(), isa.EnvVar+"="+level.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", level, err, out)
		}
	}
}

func TestDeviceErrors(t *testing.T) {
	d := newDevice(t, Options{Threads: 1})
	kernel := func(o op.Op, in ...op.Shape) error {
		_, err := d.Kernel(op.Call{Op: o, In: in, Out: in[:1]})
		return err
	}
	add, err := op.NewCall(op.Add{}, op.Float32, op.Shape{4}, op.Shape{4})
	if err != nil {
		t.Fatal(err)
	}
	k, err := d.Kernel(add)
	if err != nil {
		t.Fatal(err)
	}
	buffer := func(n int) op.Buffer { return alloc(t, d, n, op.Float32) }
	bind := func(in, out []op.Buffer) error {
		_, err := k.Bind(nil, in, out, nil)
		return err
	}
	odd := alloc(t, d, 8, op.Float32).Slice(1, 16)
	_, negative := New(Options{Threads: -1})
	_, memory := d.Alloc(-1)
	_, much := d.Alloc(1 << 60)
	for _, c := range []struct {
		err  error
		want string
	}{
		{negative, "-1 threads"},
		{memory, "-1 bytes"},
		{much, "1152921504606846976 bytes"},
		{kernel(unknown{}, op.Shape{1}), "no kernel for unknown"},
		{kernel(op.Activation{Func: "cube"}, op.Shape{1}), `"cube" is unknown; known are`},
		{kernel(op.Activation{Func: op.CELU}, op.Shape{1}), "alpha is 0"},
		{kernel(op.Add{}, op.Shape{2, 2, 2, 2, 2, 2, 2, 2, 2}, op.Shape{2, 1, 2, 1, 2, 1, 2, 1, 2}), "at most 8"},
		{kernel(op.Update{Rule: op.SGD{Momentum: 0.9}}, op.Shape{4}, op.Shape{4}, op.Shape{0}, op.Shape{4}), "input 2, of the optimizer's state, has 0 elements, want 4"},
		{kernel(op.Update{Rule: op.SGD{}, Segments: []op.Segment{{Offset: 3, Len: 2}}}, op.Shape{4}, op.Shape{4}, op.Shape{4}), "segment 0 is [3, 5), outside the 4 parameters"},
		{kernel(op.Update{Rule: op.SGD{}, Segments: []op.Segment{{Len: 2, Group: 1}}}, op.Shape{4}, op.Shape{4}, op.Shape{4}), "group 1, which the 4 hyperparameters do not reach"},
		{bind([]op.Buffer{buffer(4)}, []op.Buffer{buffer(4)}), "1 inputs and 1 results were given, want 2 and 1"},
		{bind([]op.Buffer{buffer(4), buffer(3)}, []op.Buffer{buffer(4)}), "input 1: its buffer has 12 bytes, want 16"},
		{bind([]op.Buffer{buffer(4), nil}, []op.Buffer{buffer(4)}), "input 1: is missing"},
		{bind([]op.Buffer{buffer(4), odd}, []op.Buffer{buffer(4)}), "does not start at a multiple of 4"},
		{bind([]op.Buffer{buffer(4), buffer(4)}, []op.Buffer{elsewhere{buffer(4)}}), "result 0: its buffer belongs to another device"},
		{buffer(1).Upload(make([]byte, 5)), "5 bytes do not fit into a buffer of 4"},
		{buffer(1).Download(make([]byte, 5)), "5 bytes asked of a buffer of 4"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", c.err, c.want)
		}
	}
}

// unknown is an operation that the device has never heard of.
type unknown struct{ op.Copy }

func (unknown) Kind() string { return "unknown" }

// elsewhere is memory that the host cannot address.
type elsewhere struct{ op.Buffer }

func (elsewhere) Host() []byte { return nil }

func TestBuffers(t *testing.T) {
	d := newDevice(t, Options{Threads: 1})
	for _, n := range []int{0, 1, 1000, hugePage, hugePage + 1, collectFrom} {
		b, err := d.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		if b.Len() != n || len(b.Host()) != n {
			t.Fatalf("a buffer of %d bytes has %d, and %d on the host", n, b.Len(), len(b.Host()))
		}
		for i := 0; i < n; i += 999 {
			if b.Host()[i] != 0 {
				t.Fatalf("byte %d of %d is not zero", i, n)
			}
		}
		if n == 0 {
			continue
		}
		if at := uintptr(unsafe.Pointer(&b.Host()[0])); at%alignment != 0 {
			t.Errorf("a buffer of %d bytes starts at %#x", n, at)
		}
		if n < 1000 {
			continue
		}
		if err := b.Slice(500, 3).Upload([]byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 2)
		if err := b.Slice(501, 9).Download(got); err != nil || got[0] != 2 || got[1] != 3 {
			t.Errorf("downloaded %v, %v, want 2 and 3", got, err)
		}
	}
}

func TestName(t *testing.T) {
	if got, want := newDevice(t, Options{Threads: 2, Strict: true}).Name(), "cpu (portable, 2 threads)"; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
	if got, want := newDevice(t, Options{Threads: 1}).Name(), "cpu ("+isa.Active().String()+", 1 thread)"; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
}
