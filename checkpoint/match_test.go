package checkpoint

import (
	"errors"
	"strings"
	"testing"
)

func weights(t testing.TB) *Tensors {
	t.Helper()
	c := new(Tensors)
	for _, s := range []Spec{{Name: "conv1.weight", Shape: []int{2, 3, 1, 1}}, {Name: "bn1.weight", Shape: []int{2}}, {Name: "linear.weight", Shape: []int{10, 2}}} {
		n, _ := elements(s.Shape)
		x, err := FromFloat32s(s.Name, s.Shape, make([]float32, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestMatch(t *testing.T) {
	conv, bn, fc := Spec{"conv1.weight", []int{2, 3, 1, 1}, false}, Spec{"bn1.weight", []int{2}, false}, Spec{"linear.weight", []int{10, 2}, false}
	counter := Spec{"bn1.num_batches_tracked", []int{}, true}
	for _, tt := range []struct {
		name string
		want []Spec
		opts MatchOptions
		err  string
	}{
		{"equal", []Spec{conv, bn, fc}, MatchOptions{}, ""},
		{"optional missing", []Spec{conv, bn, counter, fc}, MatchOptions{}, ""},
		{"another shape", []Spec{{conv.Name, []int{2, 1, 1, 1}, false}, bn, fc}, MatchOptions{},
			"tensor conv1.weight has shape [2 3 1 1] in the file and [2 1 1 1] in the model (in all 0 missing, 1 of another shape, 0 unexpected)"},
		{"optional of another shape", []Spec{conv, {bn.Name, []int{3}, true}, fc}, MatchOptions{}, "tensor bn1.weight has shape [2]"},
		{"missing", []Spec{conv, bn, {"linear.weights", fc.Shape, false}}, MatchOptions{},
			"the file lacks tensor linear.weights of shape [10 2]; the nearest name there is linear.weight of shape [10 2] (in all 1 missing, 0 of another shape, 1 unexpected)"},
		{"unexpected", []Spec{conv, bn}, MatchOptions{}, "the file has tensor linear.weight of shape [10 2], which the model does not (in all 0 missing, 0 of another shape, 1 unexpected)"},
		{"unexpected, allowed", []Spec{conv, bn}, MatchOptions{Unused: Under("linear")}, ""},
		{"new classifier", []Spec{conv, bn, {fc.Name, []int{2, 2}, false}}, MatchOptions{Fresh: Under("linear")}, ""},
		{"prefix is no part of a name", []Spec{conv, bn, {fc.Name, []int{2, 2}, false}}, MatchOptions{Fresh: Under("lin")}, "tensor linear.weight has shape"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Match(tt.want, weights(t), tt.opts)
			if tt.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				fresh := 0
				for i, s := range tt.want {
					if x := m.Found[i]; x == nil {
						fresh++
					} else if x.Name != s.Name {
						t.Errorf("place %d has tensor %s, want %s", i, x.Name, s.Name)
					}
				}
				if fresh != len(m.Fresh) {
					t.Errorf("%d tensors were not found, and Fresh is %v", fresh, m.Fresh)
				}
				return
			}
			var mismatch *MismatchError
			if m != nil || !errors.As(err, &mismatch) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v does not say %q", err, tt.err)
			}
		})
	}
}
