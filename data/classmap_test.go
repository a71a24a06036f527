package data_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data"
)

func TestReadClassMap(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ file, text, want string }{
		{"lines.txt", "great dane\ncat\r\n\nbee\n", "great dane,cat,bee"},
		{"tabs.txt", "\xef\xbb\xbfdog\t1\ncat\t0\n", "cat,dog"},
		{"tabs_turned.txt", "1\tdog\n0\tcat\n", "cat,dog"},
		{"numbers.txt", "7\n3\n", "7,3"},
		{"names.csv", "class\n\"dog, small\"\ncat\n", "dog, small,cat"},
		{"bare.csv", "dog\ncat\n", "dog,cat"},
		{"table.csv", "name,index\ndog,1\ncat,0\n", "cat,dog"},
		{"turned.csv", "label,class\n1,dog\n0,cat\n", "cat,dog"},
		{"list.json", `["dog", "cat"]`, "dog,cat"},
		{"by_name.json", `{"dog": 1, "cat": 0}`, "cat,dog"},
		{"by_number.json", `{"1": "dog", "0": "cat"}`, "cat,dog"},
	} {
		names, err := data.ReadClassMap(write(t, []byte(c.text), dir, c.file))
		if want := c.want; err != nil || strings.Join(names, ",") != want {
			t.Errorf("%s: %q, %v; want %s", c.file, names, err, want)
		}
	}
	for _, c := range []struct{ file, text, want string }{
		{"empty.txt", "\n", "empty.txt: it names no class"},
		{"twice.txt", "cat\ndog\ncat\n", "it names the class cat twice"},
		{"gap.txt", "cat\t0\ndog\t2\n", "the class dog has number 2; the numbers of 2 classes go from 0 to 1"},
		{"below.csv", "cat,-1\ndog,0\n", "the class cat has number -1"},
		{"same.json", `{"cat": 0, "dog": 0}`, "the classes cat and dog both have number 0"},
		{"other.json", `{"cat": [0]}`, "expected a list of names"},
		{"words.json", `{"cat": "dog"}`, `"cat" is neither a number`},
		{"three.csv", "a,b,c\n", "3 columns; expected a name, or a name and its number"},
		{"none.txt", "cat\tdog\nbee\towl\n", "expected a name and its number in every row"},
		{"ragged.txt", "cat\t0\ndog\n", "expected a name and its number in every row"},
		{"quote.csv", "\"cat\n", "quote.csv: "},
	} {
		_, err := data.ReadClassMap(write(t, []byte(c.text), dir, c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.file, err, c.want)
		}
	}
	if _, err := data.ReadClassMap(filepath.Join(dir, "nowhere")); err == nil || !strings.Contains(err.Error(), "there is no ") {
		t.Errorf("no file: error %v", err)
	}
}

// A map orders the classes of folders and leaves out the folders that it does not
// name.
func TestClassMapOfFolders(t *testing.T) {
	root := t.TempDir()
	for _, class := range []string{"ant", "bee", "cat"} {
		write(t, nil, root, "train", class, "a.jpg")
		write(t, nil, root, "val", class, "a.jpg")
	}
	two := write(t, []byte("cat\nant\n"), root, "two.txt")
	for _, split := range []string{"train", "val"} {
		ds, err := data.Open("folder", root, split, data.Options{ClassMap: two})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ds.Classes(), []string{"cat", "ant"}) || ds.Len() != 2 || !strings.Contains(ds.Name(0), "cat") || ds.Label(1) != 1 {
			t.Errorf("%s: classes %v, %d samples, the first %s", split, ds.Classes(), ds.Len(), ds.Name(0))
		}
	}
	// The classes of a checkpoint stand for the map, whose file may be gone.
	ds, err := data.Open("folder", root, "val", data.Options{ClassMap: filepath.Join(root, "gone"), Classes: []string{"bee"}})
	if err != nil || ds.Len() != 1 {
		t.Errorf("with classes given: %v, %v", ds, err)
	}
	typo := write(t, []byte("cat\naunt\n"), root, "typo.txt")
	if _, err := data.Open("folder", root, "train", data.Options{ClassMap: typo}); err == nil || !strings.Contains(err.Error(), "the class aunt has no folder") {
		t.Errorf("a class without a folder: %v", err)
	}
	if _, err := data.Open("digits", "", "train", data.Options{ClassMap: two}); err == nil || !strings.Contains(err.Error(), "10 classes, and 2 are expected by "+two) {
		t.Errorf("too few names: %v", err)
	}
}

// Holding out divides the training split of every format, and nothing else.
func TestHoldout(t *testing.T) {
	root := t.TempDir()
	for i := range 3 {
		write(t, append(cifarRecord([]byte{byte(i)}, 1, 2, 3), cifarRecord([]byte{byte(i)}, 4, 5, 6)...), root, "c10", "data_batch_"+string(rune('1'+i))+".bin")
	}
	write(t, cifarRecord([]byte{0}, 10, 11, 12), root, "c10", "test_batch.bin")
	write(t, npz(t, "train_images", npy("|u1", "9, 1, 1", up(0, 9)), "train_labels", npy("|u1", "9,", []byte{0, 1, 2, 0, 1, 2, 0, 1, 2}),
		"val_images", npy("|u1", "1, 1, 1", up(0, 1)), "val_labels", npy("|u1", "1,", up(0, 1))), root, "x.npz")
	write(t, idx(up(0, 9), 9, 1, 1), root, "idx", "train-images-idx3-ubyte")
	write(t, idx([]byte{0, 1, 2, 0, 1, 2, 0, 1, 2}, 9), root, "idx", "train-labels-idx1-ubyte")
	for _, path := range []string{"train/a", "train/b", "train/c", "test/a", "test/b", "test/c"} {
		for _, name := range []string{"0.jpg", "1.jpg", "2.jpg"} {
			write(t, nil, root, "folder", path, name)
		}
	}
	for _, c := range []struct {
		format, path string
		holdout      float64
		rest, held   int
	}{{"cifar", "c10", 3, 3, 3}, {"npz", "x.npz", 3, 6, 3}, {"idx", "idx", 1. / 3, 6, 3}, {"folder", "folder", 3, 6, 3}, {"digits", "", 0.1, 1350, 150}} {
		o := data.Options{Holdout: c.holdout, SplitSeed: 4}
		names := map[string]bool{}
		for _, part := range []struct {
			split string
			n     int
		}{{"train", c.rest}, {"holdout", c.held}} {
			ds, err := data.Open(c.format, filepath.Join(root, c.path), part.split, o)
			if err != nil {
				t.Fatal(err)
			}
			counts := make([]int, len(ds.Classes()))
			for i := range ds.Len() {
				if names[ds.Name(i)] {
					t.Errorf("%s: %s is on both sides", c.format, ds.Name(i))
				}
				names[ds.Name(i)] = true
				counts[ds.Label(i)]++
			}
			if ds.Len() != part.n || c.path != "" && slices.Max(counts) != part.n/3 {
				t.Errorf("%s %s: %d samples, by class %v; want %d", c.format, part.split, ds.Len(), counts, part.n)
			}
		}
		if c.format == "folder" {
			if ds, err := data.Open(c.format, filepath.Join(root, c.path), "test", o); err != nil || ds.Len() != 9 {
				t.Errorf("the other split: %v, %v", ds, err)
			}
		}
	}
	for _, c := range []struct {
		split   string
		holdout float64
		want    string
	}{
		{"train", 9, "9 samples to hold out of the 9 of train; there must be some on either side"},
		{"holdout", 0.01, "leaves none for holdout"},
		{"holdout", 0, `no split "holdout"; it has test, train; data.holdout says how many samples of train are set aside`},
		{"val", 0, `has no split "val"; it has test, train; evaluate on one of these (data.val_split), or on a part of train`},
	} {
		_, err := data.Open("folder", filepath.Join(root, "folder"), c.split, data.Options{Holdout: c.holdout})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %v: error %v, want one with %q", c.split, c.holdout, err, c.want)
		}
	}
	// Without train nothing can be divided, whatever is asked for.
	if err := os.RemoveAll(filepath.Join(root, "folder", "train")); err != nil {
		t.Fatal(err)
	}
	if _, err := data.Open("folder", filepath.Join(root, "folder"), "val", data.Options{}); err == nil || !strings.Contains(err.Error(), `has no split "val"; it has test`) {
		t.Errorf("test alone: error %v", err)
	}
}
