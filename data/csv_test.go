package data_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data"
)

// rowsOf writes what a data set asks and holds: its task and classes, and of each
// sample the pixel or the features and the label or the targets.
func rowsOf(t testing.TB, ds data.Dataset) string {
	t.Helper()
	text := fmt.Sprintf("%v %s:", data.TaskOf(ds), strings.Join(ds.Classes(), ","))
	var s data.Sample
	target := make([]float32, len(ds.Classes()))
	for i := range ds.Len() {
		if err := ds.Read(i, &s); err != nil {
			t.Error(err)
			continue
		}
		if v := s.Tensor.Values; v != nil {
			text += fmt.Sprint(" ", v)
		} else {
			text += fmt.Sprint(" ", pixelOf(t, ds, i, &s))
		}
		if marks, ok := ds.(data.Targeted); ok {
			marks.Target(i, target)
			text += fmt.Sprint("=", target)
		} else {
			text += "=" + ds.Classes()[ds.Label(i)]
		}
	}
	return text
}

// dots writes pictures of one pixel, 1 to n, below root/im.
func dots(t testing.TB, root string, n int) {
	t.Helper()
	for i := 1; i <= n; i++ {
		write(t, []byte(dot(t, uint8(i))), root, "im", fmt.Sprintf("%d.png", i))
	}
}

func TestCSV(t *testing.T) {
	root := t.TempDir()
	dots(t, root, 3)
	two := write(t, []byte("dog\nant\n"), root, "two.txt")
	for _, c := range []struct {
		name, table, split string
		o                  data.Options
		want               string
	}{
		{"classes", "file,label\nim/1.png,cat\nim/2.png,ant\n", "all", data.Options{}, "classify ant,cat: 1=cat 2=ant"},
		{"byte order mark, semicolons", "\xef\xbb\xbfFile;Class\r\nim/1.png;\"cat, big\"\r\n", "all", data.Options{}, "classify cat, big: 1=cat, big"},
		{"tabs", "file\tx\nim/1.png\tcat\n", "all", data.Options{}, "classify cat: 1=cat"},
		{"numbers are names, in their order", "file,label\nim/1.png,10\nim/2.png,9\n", "all", data.Options{}, "classify 9,10: 1=10 2=9"},
		{"class map", "file,label\nim/1.png,cat\nim/2.png,ant\nim/3.png,dog\n", "all", data.Options{ClassMap: two}, "classify dog,ant: 2=ant 3=dog"},
		{"numbers by a class map", "file,label\nim/1.png,1\nim/2.png,0\n", "all", data.Options{ClassMap: two}, "classify dog,ant: 1=ant 2=dog"},
		{"a column split", "file,label,split\nim/1.png,cat,training\nim/2.png,ant,VALID\nim/3.png,ant,train\n", "train", data.Options{}, "classify ant,cat: 1=cat 3=ant"},
		{"its other part", "file,label,split\nim/1.png,cat,training\nim/2.png,ant,VALID\nnowhere.png,ant,test\n", "val", data.Options{}, "classify ant,cat: 2=ant"},
		{"a split of another name", "file,label,split\nim/1.png,cat,train\nim/2.png,ant,train extra\n", "train extra", data.Options{}, "classify ant,cat: 2=ant"},
		{"labels", "file,labels\nim/1.png,cat|ant\nim/2.png,\nim/3.png, ant ; dog \n", "all", data.Options{}, "multi_label ant,cat,dog: 1=[1 1 0] 2=[0 0 0] 3=[1 0 1]"},
		{"labels by a class map", "file,labels\nim/1.png,cat|ant\nim/2.png,dog\n", "all", data.Options{ClassMap: two}, "multi_label dog,ant: 1=[0 1] 2=[1 0]"},
		{"a label each", "file,what\nim/1.png,cat\n", "all", data.Options{Task: "multi_label"}, "multi_label cat: 1=[1]"},
		{"marks", "id,file,cat,ant\n7,im/1.png,1,0\n8,im/2.png,true,1\n", "all", data.Options{}, "multi_label cat,ant: 1=[1 0] 2=[1 1]"},
		{"one value", "file,age\nim/1.png,1.5\nim/2.png,-2\n", "all", data.Options{}, "regress age: 1=[1.5] 2=[-2]"},
		{"whole values", "file,age\nim/1.png,1\nim/2.png,2\n", "all", data.Options{Task: "regress"}, "regress age: 1=[1] 2=[2]"},
		{"values", "file,x,y,z\nim/1.png,1,2,a\nim/2.png,3,4.5,b\n", "all", data.Options{TargetColumns: []string{"Y", "x"}}, "regress y,x: 1=[2 1] 2=[4.5 3]"},
		{"values as in training", "file,x,y\nim/1.png,1,2\nim/2.png,3,4.5\n", "all", data.Options{Task: "regress", Classes: []string{"y", "x"}}, "regress y,x: 1=[2 1] 2=[4.5 3]"},
		{"rows of numbers", ",x,y,label\n0,1,2,cat\n1,3,4,ant\n", "all", data.Options{}, "classify ant,cat: [1 2]=cat [3 4]=ant"},
		{"chosen features", "w,x,y,z\n0,1,2,0.5\n1,3,4,7\n", "all", data.Options{FeatureColumns: []string{"y", "x"}, TargetColumns: []string{"z", "w"}}, "regress z,w: [2 1]=[0.5 0] [4 3]=[7 1]"},
		{"the column that is left", "x,y,z\n1,2,0.5\n3,4,7\n", "all", data.Options{FeatureColumns: []string{"y", "x"}}, "regress z: [2 1]=[0.5] [4 3]=[7]"},
	} {
		ds, err := data.Open("csv", write(t, []byte(c.table), root, "x.csv"), c.split, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := rowsOf(t, ds); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}

	// A table a split; or one that is divided, each row in one of the parts.
	write(t, []byte("file,label\n../im/1.png,cat\n"), root, "two", "train.csv")
	write(t, []byte("file,label\n../im/2.png,cat\n"), root, "two", "valid.csv")
	if got := rowsOf(t, open(t, "csv", filepath.Join(root, "two"), "val")); got != "classify cat: 2=cat" {
		t.Error(got)
	}
	table := "x,target\n"
	for i := range 10 {
		table += fmt.Sprintf("%d,%d.5\n", i, i)
	}
	write(t, []byte(table), root, "one", "table.csv")
	seen := map[float32]bool{}
	for split, n := range map[string]int{"train": 8, "val": 2} {
		ds := open(t, "csv", filepath.Join(root, "one"), split)
		if ds.Len() != n || ds.Channels() != 1 || data.TaskOf(ds) != data.Regress {
			t.Errorf("%s: %d rows of %d features", split, ds.Len(), ds.Channels())
		}
		var s data.Sample
		target := make([]float32, 1)
		for i := range ds.Len() {
			if err := ds.Read(i, &s); err != nil {
				t.Fatal(err)
			}
			x := s.Tensor.Values[0]
			ds.(data.Targeted).Target(i, target)
			if seen[x] || target[0] != x+0.5 || ds.Name(i) != fmt.Sprintf("%s, line %d", filepath.Join(root, "one", "table.csv"), int(x)+2) {
				t.Errorf("%s: row %v of target %v is %s", split, x, target, ds.Name(i))
			}
			seen[x] = true
		}
	}
}

func TestCSVRefuses(t *testing.T) {
	root := t.TempDir()
	dots(t, root, 2)
	write(t, []byte("a.png,cat\n"), root, "split", "train.csv")
	write(t, nil, root, "several", "a.csv")
	write(t, nil, root, "several", "b.csv")
	one := write(t, []byte("one\n"), root, "one.txt")
	owls := write(t, []byte("cat\nowl\n"), root, "owls.txt")
	for _, c := range []struct {
		name, table, split string
		o                  data.Options
		want               string
	}{
		{"empty", "", "all", data.Options{}, "x.csv: it is empty; the first row should name the columns"},
		{"no header", "im/1.png,3\nim/2.png,4\n", "all", data.Options{}, "the first row has the number 3; it should name the columns"},
		{"header alone", "file,label\n", "all", data.Options{}, "has no rows below its first"},
		{"twice", "file,x,x\nim/1.png,1,1\n", "all", data.Options{}, `two columns are named "x"`},
		{"ragged", "file,label\nim/1.png,cat,dog\n", "all", data.Options{}, "x.csv: record on line 2: wrong number of fields"},
		{"quotes", "file,label\nim/1.png,\"cat\n", "all", data.Options{}, "x.csv: parse error on line 2"},
		{"no picture", "file,label\nim/1.png,cat\nim/9.png,cat\n", "all", data.Options{}, `x.csv, line 3: the column file has "im/9.png", and there is no file ` + filepath.Join(root, "im", "9.png")},
		{"pictures twice", "file,mask,label\nim/1.png,im/2.png,cat\n", "all", data.Options{}, "the columns file, mask all have picture files; say in data.image_column which"},
		{"no such column", "file,label\nim/1.png,cat\n", "all", data.Options{ImageColumn: "image"}, "has no column image (data.image_column); it has file, label"},
		{"no such target", "file,label\nim/1.png,cat\n", "all", data.Options{TargetColumns: []string{"age"}}, "has no column age (data.target_columns); it has file, label"},
		{"no target", "file\nim/1.png\n", "all", data.Options{}, "has no column that says what is to be learned"},
		{"which target", "file,age,height\nim/1.png,1.5,2\n", "all", data.Options{}, "say in data.target_columns which of the columns age, height are to be learned"},
		{"which of rows", "x,z\n1,2\n", "all", data.Options{}, "say in data.target_columns which of the columns x, z are to be learned"},
		{"two names", "file,label,class\nim/1.png,1.5,2\n", "all", data.Options{}, "which of the columns label, class are to be learned"},
		{"numbers of what", "file,age\nim/1.png,1\n", "all", data.Options{}, "the column age has whole numbers, which can be classes or values; say data.task: classify or regress"},
		{"unknown task", "file,age\nim/1.png,1\n", "all", data.Options{Task: "guess"}, `the task "guess" is unknown`},
		{"two for a class", "file,a,b\nim/1.png,1,0\n", "all", data.Options{Task: "classify"}, "data.task is classify, and there are the columns a, b"},
		{"words among several", "file,a,b\nim/1.png,1,0\nim/2.png,x,1\n", "all", data.Options{TargetColumns: []string{"a", "b"}}, "the column a is one of several to be learned (a, b), and has other than numbers"},
		{"gap", "file,age\nim/1.png,1.5\nim/2.png,\n", "all", data.Options{Task: "regress"}, `x.csv, line 3: the column age has "", which is no number`},
		{"infinite", "file,age\nim/1.png,1.5\nim/2.png,1e39\n", "all", data.Options{Task: "regress"}, `has "1e39", which is no number`},
		{"no mark", "file,a,b\nim/1.png,1,0\nim/2.png,2,1\n", "all", data.Options{TargetColumns: []string{"a", "b"}, Task: "multi_label"}, `x.csv, line 3: the column a has "2"; expected 1 where the label applies`},
		{"text among features", "x,y,label\n1,2,cat\n1,red,ant\n", "all", data.Options{}, `x.csv, line 3: the column y has "red", which is no number; the columns that are to be used can be named in data.feature_columns`},
		{"both", "x,y\n1,2.5\n", "all", data.Options{FeatureColumns: []string{"x", "y"}, TargetColumns: []string{"y"}}, "the column y is both in data.feature_columns and in data.target_columns"},
		{"pictures and features", "file,x,y\nim/1.png,1,2.5\n", "all", data.Options{FeatureColumns: []string{"x"}}, "the column file has pictures, and data.feature_columns names columns of numbers"},
		{"no input", "id,label\n1,cat\n", "all", data.Options{}, "has no column of picture files (data.image_column) and none of numbers beside label"},
		{"no label", "file,label\nim/1.png,\n", "all", data.Options{}, "x.csv, line 2 has an empty label"},
		{"no labels", "file,labels\nim/1.png,|\n", "all", data.Options{}, "the column labels has no labels in any row"},
		{"unknown class", "file,label\nim/1.png,cat\n", "all", data.Options{Classes: []string{"ant"}}, `x.csv, line 2 is of class "cat", which is unknown; the classes are ant`},
		{"unknown label", "file,labels\nim/1.png,cat|dog\n", "all", data.Options{Classes: []string{"cat"}}, `x.csv, line 2 has the label "dog", which is unknown`},
		{"other columns", "file,age\nim/1.png,1.5\n", "all", data.Options{Classes: []string{"size"}}, "the columns to be learned are age, and size are expected"},
		{"a number for a name", "file,label\nim/1.png,0\n", "all", data.Options{Classes: []string{"ant", "cat"}}, `is of class "0", which is unknown`},
		{"none of a class of the map", "file,label,split\nim/1.png,cat,train\nim/1.png,owl,val\n", "train", data.Options{ClassMap: owls}, owls + " names the class owl, of which the split train has no sample"},
		{"none of the map", "file,label\nim/1.png,cat\n", "all", data.Options{ClassMap: one}, "none of the 1 samples is of one of the classes one"},
		{"another split", "file,label,split\nim/1.png,cat,train\nim/1.png,cat,other\n", "val", data.Options{}, `x.csv has no split "val"; it has other, train; evaluate on one of these`},
		{"few", "file,label\nim/1.png,cat\n", "val", data.Options{}, "leaves none for val"},
	} {
		_, err := data.Open("csv", write(t, []byte(c.table), root, "x.csv"), c.split, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want one with %q", c.name, err, c.want)
		}
	}
	for path, want := range map[string]string{
		"nowhere": "there is no ", "im": "has 0 .csv files", "several": "has 2 .csv files; expected one",
		"split": `has no split "val"; it has train`,
	} {
		if _, err := data.Open("csv", filepath.Join(root, path), "val", data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want one with %q", path, err, want)
		}
	}
	if _, err := data.Open("digits", "", "val", data.Options{Task: "regress"}); err == nil || !strings.Contains(err.Error(), "data.task is regress, and the data's is classify") {
		t.Errorf("another task: %v", err)
	}
}

// A table's features reach the batch less their mean, by their deviation.
func TestRowsAreStandardised(t *testing.T) {
	path := write(t, []byte("a,b,target\n1000001,0.5,1.5\n1000003,0.25,2\n1000005,0,2.5\n"), t.TempDir(), "x.csv")
	ds := open(t, "csv", path, "all")
	mean, std, err := data.MeanStd(ds, 2, 0)
	if err != nil || math.Abs(mean[0]-1000003) > 1e-6 || math.Abs(mean[1]-0.25) > 1e-12 ||
		math.Abs(std[0]-math.Sqrt(8./3)) > 1e-6 || math.Abs(std[1]-0.25*math.Sqrt(2./3)) > 1e-12 {
		t.Fatalf("mean %v, std %v, %v", mean, std, err)
	}
	tr, err := data.NewStandardize(mean, std)
	if err != nil {
		t.Fatal(err)
	}
	batches, it := collect(t, newLoader(t, ds, tr, data.LoaderOptions{BatchSize: 3}), 0, 0)
	r := float32(math.Sqrt(1.5))
	want := []float32{-r, r, 0, 0, r, -r}
	if it.Err() != nil || len(batches) != 1 {
		t.Fatal(batches, it.Err())
	}
	for i, v := range batches[0].images {
		if math.Abs(float64(v-want[i])) > 1e-5 {
			t.Errorf("%v, want %v", batches[0].images, want)
			break
		}
	}
	spans := data.TargetSpans(ds.(data.Targeted))
	if s := spans[0]; s.Name != "target" || s.Min != 1.5 || s.Max != 2.5 || s.Mean != 2 || math.Abs(s.Std-math.Sqrt(1./6)) > 1e-12 {
		t.Errorf("%+v", s)
	}
	if d := data.Describe(ds, 0); !slices.Equal(d.Features, []string{"a", "b"}) || d.Task != data.Regress || len(d.Classes) != 0 || !slices.Equal(d.Values, spans) || d.Channels != 2 {
		t.Errorf("%+v", d)
	}
	// Neither goes where the other is wanted.
	_, it = collect(t, newLoader(t, ds, evaluating(t, 1, 1), data.LoaderOptions{BatchSize: 3}), 0, 0)
	if it.Err() == nil || !strings.Contains(it.Err().Error(), "x.csv, line 2: a row of numbers, where pictures are wanted") {
		t.Error(it.Err())
	}
	_, it = collect(t, newLoader(t, pixels(t, make([]int32, 2), "x"), tr, data.LoaderOptions{BatchSize: 2}), 0, 0)
	if it.Err() == nil || !strings.Contains(it.Err().Error(), "a picture, where rows of numbers are wanted") {
		t.Error(it.Err())
	}
	for _, std := range [][]float64{{1}, {1, 0}} {
		if _, err := data.NewStandardize(mean, std); err == nil {
			t.Errorf("deviations %v are not refused", std)
		}
	}
}

func TestDescribeLabels(t *testing.T) {
	root := t.TempDir()
	dots(t, root, 3)
	path := write(t, []byte("file,labels\nim/1.png,cat|ant\nim/2.png,\nim/3.png,ant\n"), root, "x.csv")
	d := data.Describe(open(t, "csv", path, "all"), 0)
	if d.Task != data.MultiLabel || d.Features != nil || !slices.Equal(d.Classes, []data.ClassCount{{Name: "ant", Count: 2}, {Name: "cat", Count: 1}}) {
		t.Errorf("%+v", d)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("file,label\nim/1.png,cat\n")
	f.Add("x,y,label\n1,2,cat\n3,4,dog\n")
	f.Add("x;labels\n1;a|b\n2;c\n")
	f.Add("x,y,target\n1,2,0.5\n3,\"4\",-1e3\n")
	f.Fuzz(func(t *testing.T, contents string) {
		readAll(t, "csv", write(t, []byte(contents), t.TempDir(), "x.csv"), "all")
	})
}
