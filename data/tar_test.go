package data_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/imaging"
)

// shard packs members, name and contents in turn.
func shard(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: members[i], Size: int64(len(members[i+1])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dot is a PNG of one gray pixel.
func dot(t testing.TB, gray uint8) string {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, 1, 1))
	im.SetGray(0, 0, color.Gray{Y: gray})
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pixelOf reads sample i, a dot.
func pixelOf(t testing.TB, ds data.Dataset, i int, s *data.Sample) uint8 {
	t.Helper()
	if err := ds.Read(i, s); err != nil {
		t.Error(err)
		return 0
	}
	var im imaging.Image
	p, err := s.Picture(&im, 1)
	if err != nil {
		t.Errorf("%s: %v", ds.Name(i), err)
		return 0
	}
	return p.Row(0)[0]
}

// contents are the classes and, of each sample, the pixel and the class.
func contents(t testing.TB, ds data.Dataset) string {
	t.Helper()
	var s data.Sample
	text := strings.Join(ds.Classes(), ",") + ":"
	for i := range ds.Len() {
		text += fmt.Sprintf(" %d=%s", pixelOf(t, ds, i, &s), ds.Classes()[ds.Label(i)])
	}
	return text
}

func TestTar(t *testing.T) {
	root := t.TempDir()
	d := func(gray uint8) string { return dot(t, gray) }
	write(t, shard(t, "./a/1.png", d(1), "./a/1.cls", "2\n", "./b/1.PNG", d(2), "./b/1.cls", "0", "./b/1.seg.png", "mask", "__meta__.json", "{}", "c.bin", "x"),
		root, "cls", "train-0000.tar")
	write(t, shard(t, "x.cls", "1", "x.json", `{"label": 7}`, "y.png", d(4), "y.cls", "1", "x.png", d(3)), root, "cls", "train-0001.tar")
	write(t, shard(t, "1.png", d(9), "1.cls", "0"), root, "cls", "val-00.tar")
	write(t, shard(t, "1.png", d(1), "1.json", `{"label": "dog", "breed": 3}`, "2.png", d(2), "2.json", `{"label": "cat", "breed": 0}`), root, "json", "train", "0.tar")
	write(t, shard(t, "1.png", d(3), "1.txt", " cat\n"), root, "json", "validation", "0.tar")
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("%02d.png", i), d(uint8(i)), fmt.Sprintf("%02d.txt", i), []string{"even", "odd"}[i%2])
	}
	write(t, shard(t, many...), root, "test", "0.tar") // a name that is no split's, for it is the root's
	names := write(t, []byte("zero\none\ntwo\n"), root, "names.txt")
	dogs := write(t, []byte("dog\n"), root, "dogs.txt")
	for _, c := range []struct {
		path, split string
		o           data.Options
		want        string
	}{
		{"cls", "train", data.Options{}, "0,1,2: 1=2 2=0 3=1 4=1"},
		{"cls", "val", data.Options{ClassMap: names}, "zero,one,two: 9=zero"},
		{"cls", "all", data.Options{ClassMap: names}, "zero,one,two: 1=two 2=zero 3=one 4=one 9=zero"},
		{"cls/train-{0000..0001}.tar", "train", data.Options{ClassMap: names}, "zero,one,two: 1=two 2=zero 3=one 4=one"},
		{"cls/{train-{0000..0001},val-00}.tar", "val", data.Options{}, "0: 9=0"},
		{"cls/train-*.tar", "train", data.Options{}, "0,1,2: 1=2 2=0 3=1 4=1"},
		{"cls/train-0001.tar", "train", data.Options{}, "0,1: 3=1 4=1"},
		{"json", "train", data.Options{}, "cat,dog: 1=dog 2=cat"},
		{"json", "val", data.Options{Classes: []string{"cat", "dog"}}, "cat,dog: 3=cat"},
		{"json", "train", data.Options{ClassMap: dogs}, "dog: 1=dog"},
		{"json", "train", data.Options{TargetColumns: []string{"breed"}, Task: "classify"}, "0,1,2,3: 1=3 2=0"},
	} {
		ds, err := data.Open("tar", filepath.Join(root, c.path), c.split, c.o)
		if err != nil {
			t.Errorf("%s %s: %v", c.path, c.split, err)
			continue
		}
		if got := contents(t, ds); got != c.want || ds.Channels() != 1 {
			t.Errorf("%s %s: %s, want %s; %d channels", c.path, c.split, got, c.want, ds.Channels())
		}
	}
	train, val := open(t, "tar", filepath.Join(root, "test"), "train"), open(t, "tar", filepath.Join(root, "test"), "val")
	if train.Len() != 16 || val.Len() != 4 || slices.Contains(strings.Fields(contents(t, train)), strings.Fields(contents(t, val))[1]) {
		t.Errorf("divided: %s and %s", contents(t, train), contents(t, val))
	}
	if name := open(t, "tar", filepath.Join(root, "cls"), "train").Name(1); name != filepath.Join(root, "cls", "train-0000.tar")+", b/1.png" {
		t.Errorf("the second sample is %s", name)
	}
}

// Fields of .json are judged as a table's columns are.
func TestTarOfOtherTasks(t *testing.T) {
	path := write(t, shard(t,
		"1.png", dot(t, 1), "1.json", `{"age": 3.5, "tags": ["cat", "dog"], "wet": 1, "red": true, "name": "x"}`,
		"2.png", dot(t, 2), "2.json", `{"age": 7, "tags": [], "wet": 0, "red": false, "name": "x"}`), t.TempDir(), "x.tar")
	for _, c := range []struct {
		fields []string
		want   string
	}{
		{[]string{"age"}, "regress age: 1=[3.5] 2=[7]"},
		{[]string{"wet", "age"}, "regress wet,age: 1=[1 3.5] 2=[0 7]"},
		{[]string{"tags"}, "multi_label cat,dog: 1=[1 1] 2=[0 0]"},
		{[]string{"wet", "red"}, "multi_label wet,red: 1=[1 1] 2=[0 0]"},
		{[]string{"name"}, "classify x: 1=x 2=x"},
	} {
		ds, err := data.Open("tar", path, "all", data.Options{TargetColumns: c.fields})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := rowsOf(t, ds); got != c.want {
			t.Errorf("%v: %s, want %s", c.fields, got, c.want)
		}
	}
	for field, want := range map[string]string{
		"wet":  "the column wet has whole numbers, which can be classes or values; say data.task",
		"size": "sample 1 has a .json without a field size",
	} {
		if _, err := data.Open("tar", path, "all", data.Options{TargetColumns: []string{field}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", field, err, want)
		}
	}
	if _, err := data.Open("tar", path, "all", data.Options{TargetColumns: []string{"age", "name"}, Task: "regress"}); err == nil ||
		!strings.Contains(err.Error(), `x.tar, 1.png: the column name has "x", which is no number`) {
		t.Error(err)
	}
}

// Any number of goroutines may read from the same shards.
func TestTarConcurrently(t *testing.T) {
	root := t.TempDir()
	for s := range 3 {
		var members []string
		for i := range 40 {
			members = append(members, fmt.Sprintf("%d.png", i), dot(t, uint8(s*40+i)), fmt.Sprintf("%d.cls", i), "0")
		}
		write(t, shard(t, members...), root, fmt.Sprintf("%d.tar", s))
	}
	ds := open(t, "tar", root, "all")
	var running sync.WaitGroup
	for g := range 8 {
		running.Go(func() {
			var s data.Sample
			for k := range ds.Len() {
				i := (k*7 + g*13) % ds.Len()
				if got := pixelOf(t, ds, i, &s); int(got) != i {
					t.Errorf("sample %d has the pixel of %d", i, got)
				}
			}
		})
	}
	running.Wait()
	// And so do a loader's workers.
	it := newLoader(t, ds, evaluating(t, 1, 1), data.LoaderOptions{BatchSize: 16, Workers: 4}).Epoch(context.Background(), 0, 0)
	defer it.Close()
	n := 0
	for it.Next() {
		n += it.Batch().N
		it.Release(it.Batch())
	}
	if n != 120 || it.Err() != nil {
		t.Errorf("%d samples, %v", n, it.Err())
	}
}

func TestTarRefuses(t *testing.T) {
	root := t.TempDir()
	whole := shard(t, "a.png", dot(t, 1), "a.cls", "0", "b.png", strings.Repeat("x", 2000), "b.cls", "1")
	write(t, whole, root, "whole.tar")
	write(t, whole[:len(whole)-1024-512-1024], root, "content.tar")
	write(t, whole[:512*3], root, "between.tar")
	write(t, whole[:len(whole)-1024], root, "unmarked.tar")
	header := slices.Clone(whole)
	header[512*2+20] ^= 0x55
	write(t, header, root, "header.tar")
	write(t, zipped(t, whole), root, "zipped.tar")
	write(t, zipped(t, whole), root, "zipped", "a.tar.gz")
	write(t, nil, root, "empty", "a.txt")
	write(t, nil, root, "nothing.tar")
	one := func(name string, members ...string) { write(t, shard(t, members...), root, name+".tar") }
	one("other", "a.mp4", "x")
	one("bare", "a.png", "x")
	one("blind", "a.cls", "0")
	one("two", "a.png", "x", "a.jpg", "x")
	one("word", "a.png", "x", "a.cls", "cat")
	one("json", "a.png", "x", "a.json", "[1]")
	one("field", "a.png", "x", "a.json", `{"label": [1], "name": "cat"}`)
	one("blank", "a.png", "x", "a.txt", " \n")
	write(t, whole, root, "mixed", "train-0.tar")
	write(t, whole, root, "mixed", "more.tar")
	write(t, whole, root, "one", "train-0.tar")
	var captions []string
	for i := range 30 {
		captions = append(captions, fmt.Sprintf("%d.png", i), "x", fmt.Sprintf("%d.txt", i), fmt.Sprint("A picture of ", i))
	}
	one("captions", captions...)
	for _, c := range []struct{ path, split, want string }{
		{"nowhere.tar", "train", "there is no shard "},
		{"train-{00..01}.tar", "train", "there is no shard "},
		{"train-*.tar", "train", "there is no "},
		{"train-{a..b}.tar", "train", "{a..b} is neither a choice such as {train,val} nor a range such as {0000..0012}"},
		{"train-{a", "train", "an opening brace without a closing one"},
		{"train-a}", "train", "a closing brace without an opening one"},
		{"{0..99999}", "train", "{0..99999} stands for more than 65536 names"},
		{"{0..999}{0..999}", "train", "stands for more than 65536 names"},
		{"content.tar", "train", "content.tar is cut: b.png has 2000 bytes from byte 2560 on, and the file ends at 4096"},
		{"between.tar", "train", "between.tar is cut: a.cls has"},
		{"unmarked.tar", "train", "without the mark of a tar file's end; it is cut"},
		{"header.tar", "train", "header.tar is cut or damaged at byte 1024 of "},
		{"zipped.tar", "train", "is compressed, and its samples are read in any order; unpack it"},
		{"zipped", "train", "a.tar.gz is compressed"},
		{"empty", "train", "has no .tar files"},
		{"nothing.tar", "train", "nothing.tar has no samples"},
		{"other.tar", "train", "has no samples with pictures"},
		{"bare.tar", "train", "bare.tar: sample a has no label; expected a member ending in .cls, .json or .txt"},
		{"blind.tar", "train", "blind.tar: sample a has a label and no picture"},
		{"two.tar", "train", "has two pictures a.png and a.jpg"},
		{"word.tar", "train", `sample a has "cat" in .cls; expected the class's number`},
		{"json.tar", "train", "sample a has a .json that is no object"},
		{"field.tar", "train", "without a field label that is a number or a text; data.target_columns names another; it has label, name"},
		{"blank.tar", "train", "sample a has nothing in .txt"},
		{"captions.tar", "train", `each of the 30 samples has a label of its own, such as "A picture of 0"`},
		{"mixed", "train", "more.tar tells no split, and those of others do"},
		{"one", "val", `has no split "val"; it has train; evaluate on one of these`},
	} {
		_, err := data.Open("tar", filepath.Join(root, c.path), c.split, data.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v; want one with %q", c.path, c.split, err, c.want)
		}
	}
	for _, c := range []struct {
		o    data.Options
		want string
	}{
		{data.Options{Classes: []string{"x"}}, `whole.tar, b.png is of class "1", which is unknown; the classes are x`},
		{data.Options{TargetColumns: []string{"kind"}}, "sample a has no .json with the field kind (data.target_columns)"},
	} {
		if _, err := data.Open("tar", filepath.Join(root, "whole.tar"), "train", c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v; want one with %q", c.o, err, c.want)
		}
	}
}

func FuzzTar(f *testing.F) {
	f.Add(shard(f, "a.png", "x", "a.cls", "0", "b.jpg", "yy", "b.cls", "1"))
	f.Add(shard(f, "a.png", "x", "a.json", `{"label": "cat"}`))
	f.Add(shard(f, "a.png", "x", "a.txt", "cat")[:1700])
	f.Fuzz(func(t *testing.T, contents []byte) {
		readAll(t, "tar", write(t, contents, t.TempDir(), "x.tar"), "all")
	})
}
