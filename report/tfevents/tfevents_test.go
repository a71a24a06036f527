package tfevents_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report/tfevents"
	"github.com/seed52467199/trainer/report/tfevents/tfeventstest"
)

func TestWriter(t *testing.T) {
	w, err := tfevents.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Restart(7); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("ü", 200) // lengths above 127 take two bytes
	if err := w.Add(7, tfevents.Scalar{Tag: "train/loss", Value: 0.5}, tfevents.Scalar{Tag: long, Value: -1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(1<<40, tfevents.Scalar{Tag: "eval/top1", Value: 91.5}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := []tfeventstest.Event{
		{Version: "brain.Event:2"},
		{Step: 7, Restart: true},
		{Step: 7, Scalars: map[string]float32{"train/loss": 0.5, long: -1}},
		{Step: 1 << 40, Scalars: map[string]float32{"eval/top1": 91.5}},
	}
	if got := tfeventstest.Read(t, w.Name()); !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v\nwant %+v", got, want)
	}
}

// TestMask holds the checksum against figures worked out by hand.
func TestMask(t *testing.T) {
	// crc32c("") = 0, masked 0xa282ead8.
	if got := tfevents.Mask(nil); got != 0xa282ead8 {
		t.Errorf("mask of nothing is %#x", got)
	}
	// crc32c("123456789") = 0xe3069283 (RFC 3720), masked (crc>>15 | crc<<17) + 0xa282ead8.
	if got := tfevents.Mask([]byte("123456789")); got != 0xc78ab0e5 {
		t.Errorf("mask of 123456789 is %#x", got)
	}
}

func TestCreateNeverReuses(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for range 3 {
		w, err := tfevents.Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		names = append(names, w.Name())
	}
	found, _ := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if !reflect.DeepEqual(found, names) {
		t.Errorf("three writers made %q, which sort as %q", names, found)
	}
	if _, err := tfevents.Create(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there gives %v", err)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	w, err := tfevents.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	step := 0
	if n := testing.AllocsPerRun(100, func() {
		step++
		if err := w.Add(step, tfevents.Scalar{Tag: "a", Value: 1}, tfevents.Scalar{Tag: "b", Value: 2}); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "curves")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	w, err := tfevents.Create(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	for step := range 3 {
		if err := w.Add(step, tfevents.Scalar{Tag: "train/loss", Value: 1 / float64(1+step)}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(w.Close())
	// Output: <nil>
}
