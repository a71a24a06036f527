package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/data"
)

// asked is two pictures of which something else is asked than a class.
type asked struct {
	data.Dataset
	task data.Task
}

func (a asked) Task() data.Task             { return a.task }
func (a asked) Target(i int, dst []float32) {}

// What is written of images that may have several classes, or numbers.
func TestPredictionsOfOtherTasks(t *testing.T) {
	pictures, err := data.FromPixels("two", make([]uint8, 2), 1, 1, 1, []int32{0, 0}, []string{"sun", "rain", "snow"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		task data.Task
		want string
	}{
		{data.MultiLabel, "name,labels,loss,prediction1,probability1,prediction2,probability2\n" +
			"\"two, picture 1\",,1.67485,sun,0.982014,rain,0.5\n" +
			"\"two, picture 0\",sun;snow,0.126666,sun,0.982014,snow,0.952574\n"},
		{data.Regress, "name,loss,sun,sun_predicted,rain,rain_predicted,snow,snow_predicted\n" +
			"\"two, picture 1\",5.66667,0,4,0,0,0,-1\n" +
			"\"two, picture 0\",4.66667,1,4,0,-1,1,3\n"},
	} {
		f := predictionFlags{path: filepath.Join(t.TempDir(), "p.csv"), top: 2, worst: 2}
		p := newPredictions(f, asked{pictures, c.task}, pictures.Classes())
		b := &data.Batch{N: 2, Labels: []int32{0, 0}, Indices: []int{0, 1}, Targets: []float32{1, 0, 1, 0, 0, 0}}
		p.add(b, []float32{4, -1, 3, 4, 0, -1})
		if err := p.write(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.task, got, c.want)
		}
	}
}
