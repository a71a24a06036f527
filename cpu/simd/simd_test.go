package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/seed52467199/trainer/cpu/isa"
)

// kernels is the kernels of one level, natively or interpreted, under names
// such as rows_6x16.
type kernels map[string]func(args ...any) error

// native wraps the kernels of a level.
func native(s *Set) kernels {
	k := kernels{}
	add := func(form string, m, n int, f func(a []any)) {
		k[fmt.Sprintf("%s_%dx%d", form, m, n)] = func(a ...any) error { f(a); return nil }
	}
	rows := func(form string, r Rows) {
		add(form, r.MR, r.NR, func(a []any) {
			r.Run(&f(a[0])[0], &i(a[1])[0], &i(a[2])[0], a[3].(int), &i(a[4])[0], a[5].(int), a[6].(int), &f(a[7])[0], &f(a[8])[0], first(a[9]), a[10].(float32), a[11].(float32))
		})
	}
	for _, r := range s.Rows {
		rows("rows", r)
	}
	rows("laneRows", s.LaneRows)
	for _, c := range s.Cols {
		add("cols", c.MR, c.NR, func(a []any) {
			c.Run(&f(a[0])[0], a[1].(int), &i(a[2])[0], a[3].(int), a[4].(int), &f(a[5])[0], a[6].(int), &f(a[7])[0], a[8].(int))
		})
	}
	c := s.LaneCols
	add("laneCols", c.MT, c.NR, func(a []any) {
		c.Run(&f(a[0])[0], a[1].(int), &i(a[2])[0], &i(a[3])[0], a[4].(int), a[5].(int), &f(a[6])[0], a[7].(int), &f(a[8])[0], a[9].(int))
	})
	return k
}

func f(a any) []float32 { return a.([]float32) }
func i(a any) []int     { return a.([]int) }

// first is a pointer to a slice's first value, nil where the argument is 0.
func first(a any) *float32 {
	if s, ok := a.([]float32); ok {
		return &s[0]
	}
	return nil
}

// interpreted wraps the assembly that kernels of a level are made of.
func interpreted(t *testing.T, level string, s *Set) kernels {
	m, err := newInterpreter("kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	k := kernels{}
	add := func(form string, mr, nr int) {
		name := fmt.Sprintf("%s%s_%dx%d", form, level, mr, nr)
		if m.functions[name] == nil { // the narrowest are those of AVX2 at both levels
			name = fmt.Sprintf("%sAVX2_%dx%d", form, mr, nr)
		}
		k[fmt.Sprintf("%s_%dx%d", form, mr, nr)] = func(a ...any) error { return m.run(name, a...) }
	}
	for _, r := range s.Rows {
		add("rows", r.MR, r.NR)
	}
	for _, c := range s.Cols {
		add("cols", c.MR, c.NR)
	}
	add("laneRows", s.LaneRows.MR, s.LaneRows.NR)
	add("laneCols", s.LaneCols.MT, s.LaneCols.NR)
	return k
}

// forEachLevel calls test with every level's kernels: natively where this
// processor can run them, and their assembly interpreted.
func forEachLevel(t *testing.T, test func(t *testing.T, s *Set, k kernels)) {
	for l := isa.Generic; l <= isa.AVX512; l++ {
		s, ok := sets[l]
		if !ok {
			continue
		}
		t.Run(l.String(), func(t *testing.T) {
			if l > isa.Best() {
				t.Skipf("this processor has no more than %v", isa.Best())
			}
			test(t, s, native(s))
		})
		if name := map[isa.Level]string{isa.AVX2: "AVX2", isa.AVX512: "AVX512"}[l]; name != "" {
			t.Run(l.String()+" interpreted", func(t *testing.T) { test(t, s, interpreted(t, name, s)) })
		}
	}
}

var rnd = rand.New(rand.NewPCG(1, 2))

func random(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 2*rnd.Float32() - 1
	}
	return v
}

func call(t *testing.T, k kernels, name string, args ...any) {
	t.Helper()
	if k[name] == nil {
		t.Fatalf("there is no %s", name)
	}
	if err := k[name](args...); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(w) && math.IsNaN(g) {
			continue
		}
		if !(math.Abs(g-w) <= 1e-5*(1+math.Abs(w))) {
			t.Fatalf("%s: value %d is %g, want %g", what, i, g, w)
		}
	}
}

func testRows(t *testing.T, k kernels, form string, r Rows) {
	lanes := form == "laneRows"
	for _, c := range []struct {
		tiles, kc int
		taps      []int
		fresh     bool
		clip      Clip
	}{
		{1, 1, []int{0}, true, Clip{}},
		{1, 4, []int{3}, false, Clip{}},
		{2, 7, []int{0, 11}, true, Clip{0, float32(math.Inf(1))}},
		{3, 3, []int{5, 0, 9}, false, Clip{-0.5, 0.75}},
	} {
		if lanes {
			c.kc = 1
		}
		floor, ceiling := c.clip.Bounds()
		rows := c.tiles * r.MR
		rowA, rowC := make([]int, rows), make([]int, rows)
		for i := range rows {
			rowA[i], rowC[i] = i*5, (rows-1-i)*(r.NR+3)
		}
		// The last row twice, as in a tile that is filled up.
		rowA[rows-1], rowC[rows-1] = rowA[rows-2], rowC[rows-2]
		reach := c.kc
		if lanes {
			reach = r.NR
		}
		longest := 0
		for _, tap := range c.taps {
			longest = max(longest, tap)
		}
		a := random(rowA[rows-2] + longest + reach)
		b := random(len(c.taps) * c.kc * r.NR)
		out := random((rows-1)*(r.NR+3) + r.NR)
		out[rowC[0]] = float32(math.NaN()) // stays where sums go on from c
		start := random(r.NR)
		want := make([]float64, len(out))
		for i, v := range out {
			want[i] = float64(v)
		}
		for i := range rows - 1 {
			for n := range r.NR {
				sum := float64(out[rowC[i]+n])
				if c.fresh {
					sum = float64(start[n])
				}
				for t, tap := range c.taps {
					for q := range c.kc {
						x := rowA[i] + tap + q
						if lanes {
							x = rowA[i] + tap + n
						}
						sum += float64(a[x]) * float64(b[(t*c.kc+q)*r.NR+n])
					}
				}
				if !math.IsNaN(sum) {
					sum = min(max(sum, float64(floor)), float64(ceiling))
				}
				want[rowC[i]+n] = sum
			}
		}
		var from any = 0
		if c.fresh {
			from = start
		}
		name := fmt.Sprintf("%s_%dx%d", form, r.MR, r.NR)
		call(t, k, name, a, rowA, rowC, c.tiles, c.taps, len(c.taps), c.kc, b, out, from, floor, ceiling)
		same(t, fmt.Sprintf("%s of %+v", name, c), out, want)
	}
}

func TestRows(t *testing.T) {
	forEachLevel(t, func(t *testing.T, s *Set, k kernels) {
		for _, r := range s.Rows {
			testRows(t, k, "rows", r)
		}
		testRows(t, k, "laneRows", s.LaneRows)
	})
}

// TestRowsBeside checks that asking for other maps changes no bit of a sum and, where
// the assembly is interpreted, that it asks for all rows of all tiles but the first.
func TestRowsBeside(t *testing.T) {
	const tiles, kc, maps = 3, 41, 3
	taps := []int{2, 60}
	for l, name := range map[isa.Level]string{isa.AVX2: "AVX2", isa.AVX512: "AVX512"} {
		s, ok := sets[l]
		if !ok {
			continue
		}
		m, err := newInterpreter("kernels_amd64.s")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Rows {
			level := name
			if m.functions[fmt.Sprintf("rows%s_%dx%d", level, r.MR, r.NR)] == nil {
				level = "AVX2"
			}
			rows := tiles * r.MR
			rowA, rowC := make([]int, rows), make([]int, rows)
			for i := range rows {
				rowA[i], rowC[i] = i*7, (i^1)*(r.NR+5)
			}
			a, b := random(rowA[rows-1]+taps[1]+kc), random(len(taps)*kc*r.NR)
			want := random((rows + 1) * (r.NR + 5))
			got := append([]float32(nil), want...)
			var others [][]float32
			var beside []int
			for range maps {
				others = append(others, make([]float32, len(want)))
				beside = append(beside, int(uintptr(unsafe.Pointer(&others[len(others)-1][0]))))
			}
			if err := m.run(fmt.Sprintf("rows%s_%dx%d", level, r.MR, r.NR), a, rowA, rowC, tiles, taps, len(taps), kc, b, want, 0, float32(-1), float32(1)); err != nil {
				t.Fatal(err)
			}
			if err := m.run(fmt.Sprintf("rowsBeside%s_%dx%d", level, r.MR, r.NR), a, rowA, rowC, tiles, taps, len(taps), kc, b, got, 0, float32(-1), float32(1), beside, maps); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v %dx%d: sums differ", l, r.MR, r.NR)
			}
			for i, base := range beside {
				for row := r.MR; row < rows; row++ {
					for at := 0; at < r.NR; at += 16 {
						if !slices.Contains(m.fetched, int64(base+4*(rowC[row]+at))) {
							t.Fatalf("%v %dx%d: float %d of row %d of map %d is not asked for", l, r.MR, r.NR, at, row, i)
						}
					}
				}
			}
			runtime.KeepAlive(others)
			if l > isa.Best() {
				continue
			}
			copy(got, want)
			clip := Clip{-1, 1}
			floor, ceiling := clip.Bounds()
			r.Run(&a[0], &rowA[0], &rowC[0], tiles, &taps[0], len(taps), kc, &b[0], &want[0], nil, floor, ceiling)
			r.Beside(&a[0], &rowA[0], &rowC[0], tiles, &taps[0], len(taps), kc, &b[0], &got[0], nil, floor, ceiling, (**float32)(unsafe.Pointer(&beside[0])), maps)
			if !slices.Equal(got, want) {
				t.Errorf("%v %dx%d, run: sums differ", l, r.MR, r.NR)
			}
		}
	}
}

func TestCols(t *testing.T) {
	const lda, gap, kc = 3, 2, 5
	segs := []int{4, 0, 50}
	forEachLevel(t, func(t *testing.T, s *Set, k kernels) {
		for _, c := range s.Cols {
			for fresh := range 2 {
				ldb := c.NR + gap
				a, b := random(50+(kc-1)*lda+c.MR), random((len(segs)*kc-1)*ldb+c.NR)
				out := random(c.MR * c.NR)
				want := make([]float64, len(out))
				for i := range c.MR {
					for n := range c.NR {
						sum := float64(1-fresh) * float64(out[i*c.NR+n])
						for s, seg := range segs {
							for p := range kc {
								sum += float64(a[seg+p*lda+i]) * float64(b[(s*kc+p)*ldb+n])
							}
						}
						want[i*c.NR+n] = sum
					}
				}
				name := fmt.Sprintf("cols_%dx%d", c.MR, c.NR)
				call(t, k, name, a, lda, segs, len(segs), kc, b, ldb, out, fresh)
				same(t, name, out, want)
			}
		}
	})
}

func TestLaneCols(t *testing.T) {
	const gap, kc = 2, 5
	segs := []int{4, 0, 50}
	forEachLevel(t, func(t *testing.T, s *Set, k kernels) {
		c := s.LaneCols
		taps := make([]int, c.MT)
		for i := range taps {
			taps[i] = 7 * (c.MT - 1 - i)
		}
		for fresh := range 2 {
			ld := c.NR + gap
			a, b := random(50+7*(c.MT-1)+(kc-1)*ld+c.NR), random((len(segs)*kc-1)*ld+c.NR)
			out := random(c.MT * c.NR)
			want := make([]float64, len(out))
			for i, tap := range taps {
				for n := range c.NR {
					sum := float64(1-fresh) * float64(out[i*c.NR+n])
					for s, seg := range segs {
						for p := range kc {
							sum += float64(a[tap+seg+p*ld+n]) * float64(b[(s*kc+p)*ld+n])
						}
					}
					want[i*c.NR+n] = sum
				}
			}
			name := fmt.Sprintf("laneCols_%dx%d", c.MT, c.NR)
			call(t, k, name, a, ld, taps, segs, len(segs), kc, b, ld, out, fresh)
			same(t, name, out, want)
		}
	})
}

func TestGatherAndSum(t *testing.T) {
	for l, s := range sets {
		if l > isa.Best() {
			continue // no kernels of its own
		}
		for width, gather := range s.Gather {
			src, dst := random(4*(width+5)+width), make([]float32, 5*width+1)
			gather(&dst[0], &src[0], 5, width+5)
			for i := range 5 * width {
				if want := src[i/width*(width+5)+i%width]; dst[i] != want {
					t.Fatalf("%v: gather of %d: value %d is %g, want %g", l, width, i, dst[i], want)
				}
			}
			if dst[5*width] != 0 {
				t.Errorf("%v: gather of %d writes past the end", l, width)
			}
		}
		x := random(16 + 3*20)
		want := make([]float64, 16)
		for i := range want {
			for p := range 4 {
				want[i] += float64(x[i+p*20])
			}
		}
		s.Sum(&x[0], 16, 3, 20)
		same(t, l.String()+": sum", x, want)
	}
}

func TestEveryWidthHasItsGather(t *testing.T) {
	for l, s := range sets {
		for _, c := range s.Cols {
			if s.Deal[c.MR] == nil || s.Gather[c.NR] == nil {
				t.Errorf("%v: no deal or no gather for cols %dx%d", l, c.MR, c.NR)
			}
		}
		if s.Gather[s.LaneCols.NR] == nil {
			t.Errorf("%v: no gather for lanes of %d", l, s.LaneCols.NR)
		}
	}
}

func TestCheapest(t *testing.T) {
	s := &Set{Rows: []Rows{{MR: 12, NR: 32}, {MR: 12, NR: 16}, {MR: 12, NR: 8}}}
	for n, want := range map[int]int{1: 8, 8: 8, 9: 16, 16: 16, 17: 32, 32: 32, 40: 16, 64: 32, 150: 32} {
		if got := s.RowsFor(n).NR; got != want {
			t.Errorf("%d columns get a kernel %d wide, want %d", n, got, want)
		}
	}
}

func TestDeal(t *testing.T) {
	for l, s := range sets {
		if l > isa.Best() {
			continue // no kernels of its own
		}
		for width, deal := range s.Deal {
			for pixels := 1; pixels <= 9; pixels++ {
				const panels, gap = 3, 5
				step, panelStep := panels*width+gap, pixels*width+gap
				src, dst := random(pixels*step), make([]float32, panels*panelStep)
				want := make([]float32, len(dst))
				for i := range pixels {
					for p := range panels {
						copy(want[p*panelStep+i*width:][:width], src[i*step+p*width:])
					}
				}
				deal(&dst[0], &src[0], pixels, step, panels, panelStep)
				for i, v := range dst {
					if v != want[i] {
						t.Fatalf("%v: %d pixels dealt by %d: float %d is %g, want %g", l, pixels, width, i, v, want[i])
					}
				}
			}
		}
	}
}

func TestScatter(t *testing.T) {
	for l := isa.Generic; l <= isa.Best(); l++ {
		for n := 1; n <= 21; n++ {
			for add := range 2 {
				const rows, step, gap = 5, 24, 3
				src, dst := random(rows*step), random(rows*(n+gap))
				want, table := append([]float32(nil), dst...), make([]int, rows)
				for r := range rows {
					table[r] = (rows - 1 - r) * (n + gap)
					for k := range n {
						v := src[r*step+k]
						if add != 0 {
							v += want[table[r]+k]
						}
						want[table[r]+k] = v
					}
				}
				sets[l].Scatter(&dst[0], &table[0], &src[0], rows, step, n, add)
				for i, v := range dst {
					if v != want[i] {
						t.Fatalf("%v: %d floats a row, add %d: float %d is %v, want %v", l, n, add, i, v, want[i])
					}
				}
			}
		}
	}
}

func TestTranspose(t *testing.T) {
	for l, s := range sets {
		if l > isa.Best() {
			continue // no kernel of its own
		}
		for _, size := range [][2]int{{1, 1}, {3, 17}, {8, 8}, {16, 24}, {13, 9}, {7, 40}, {40, 7}} {
			rows, cols := size[0], size[1]
			src, dst := random(rows*(cols+3)), make([]float32, cols*(rows+2))
			s.Transpose(dst, rows+2, src, cols+3, rows, cols)
			for i := range dst {
				want := float32(0)
				if c, r := i/(rows+2), i%(rows+2); r < rows {
					want = src[r*(cols+3)+c]
				}
				if dst[i] != want {
					t.Fatalf("%s, %dx%d: value %d is %g, want %g", l, rows, cols, i, dst[i], want)
				}
			}
		}
	}
}
