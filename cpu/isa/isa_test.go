package isa_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name string
		best isa.Level
		want isa.Level
		err  string
	}{
		{"generic", isa.AVX512, isa.Generic, ""},
		{"avx2", isa.AVX2, isa.AVX2, ""},
		{"avx512", isa.AVX2, isa.AVX2, "its best level is avx2"},
		{"sse9", isa.AVX2, isa.AVX2, "unknown level"},
	} {
		got, err := isa.Parse(c.name, c.best)
		if got != c.want || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("Parse(%q, %v) = %v, %v; want %v and an error with %q", c.name, c.best, got, err, c.want, c.err)
		}
	}
}

func ExampleParse() {
	l, err := isa.Parse("avx2", isa.AVX512)
	fmt.Println(l, err)
	// Output: avx2 <nil>
}
