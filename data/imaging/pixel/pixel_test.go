package pixel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

// eachLevel runs a test at every level that has assembly.
func eachLevel(t *testing.T, test func(t *testing.T, r *rand.Rand)) {
	for _, l := range []isa.Level{isa.AVX2, isa.AVX512} {
		t.Run(l.String(), func(t *testing.T) {
			if isa.Best() < l {
				t.Skipf("this processor's best level is %s", isa.Best())
			}
			use(t, l)
			test(t, rand.New(rand.NewPCG(1, 2)))
		})
	}
}

func use(t testing.TB, l isa.Level) {
	old := active
	active = l
	t.Cleanup(func() { active = old })
}

// portably runs f with the portable twins.
func portably(f func()) {
	old := active
	active = isa.Generic
	f()
	active = old
}

// lengths are all remainders of the registers and some that are long.
func lengths(from int) []int {
	var all []int
	for n := from; n < 100; n++ {
		all = append(all, n)
	}
	return append(all, 144, 250, 672, 1001)
}

// fence is room for n bytes with a margin that must stay as it is.
type fence struct{ memory, inside []uint8 }

const margin = 64

func fenced(n int) fence {
	m := make([]uint8, n+2*margin)
	for i := range m {
		m[i] = 0xa5
	}
	return fence{m, m[margin : margin+n : margin+n]}
}

func (f fence) check(t *testing.T) {
	t.Helper()
	for i, v := range f.memory {
		if (i < margin || i >= margin+len(f.inside)) && v != 0xa5 {
			t.Fatalf("wrote at %d of %d bytes", i-margin, len(f.inside))
		}
	}
}

// random is n bytes, with more than their share of extremes.
func random(r *rand.Rand, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		switch b[i] = uint8(r.Uint32()); r.IntN(8) {
		case 0:
			b[i] = 0
		case 1:
			b[i] = 255
		}
	}
	return b
}

func TestIDCT(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for i := range 3000 {
			var block [64]int32
			for range r.IntN(64) + 1 { // from sparse to full, from small to absurd
				block[r.IntN(64)] = int32(r.IntN(1<<(4+i%14))) - 1<<(3+i%14)
			}
			if i%3 == 0 {
				block[0] = int32(r.IntN(4096) - 2048)
			}
			copied := block
			stride := 8 + r.IntN(20)
			got, want := fenced(7*stride+8), make([]uint8, 7*stride+8)
			IDCT(got.inside, stride, &block)
			portably(func() { IDCT(want, stride, &copied) })
			got.check(t)
			for y := range 8 {
				for x := range 8 {
					if g, w := got.inside[y*stride+x], want[y*stride+x]; g != w {
						t.Fatalf("block %d at (%d, %d): %d, want %d", i, x, y, g, w)
					}
				}
			}
			if block != [64]int32{} || copied != [64]int32{} {
				t.Fatal("the block is not left zero")
			}
		}
	})
}

func TestUpsample(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for _, n := range lengths(2) {
			near, far := random(r, n), random(r, n)
			got, want := fenced(2*n), make([]uint8, 2*n)
			UpsampleAcross(got.inside, near)
			portably(func() { UpsampleAcross(want, near) })
			if got.check(t); !slices.Equal(got.inside, want) {
				t.Fatalf("across, %d samples: %v, want %v", n, got.inside, want)
			}
			UpsampleBoth(got.inside, near, far)
			portably(func() { UpsampleBoth(want, near, far) })
			if got.check(t); !slices.Equal(got.inside, want) {
				t.Fatalf("both, %d samples: %v, want %v", n, got.inside, want)
			}
		}
	})
}

// Every pair of chroma with luma of all kinds.
func TestYCCToRGB(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		cb := make([]uint8, 256)
		for i := range cb {
			cb[i] = uint8(i)
		}
		for v := range 256 {
			cr := slices.Repeat([]uint8{uint8(v)}, 256)
			luma := random(r, 256)
			got, want := fenced(3*256), make([]uint8, 3*256)
			YCCToRGB(got.inside, luma, cb, cr)
			portably(func() { YCCToRGB(want, luma, cb, cr) })
			if got.check(t); !slices.Equal(got.inside, want) {
				t.Fatalf("Cr %d differs", v)
			}
		}
		for _, n := range lengths(1) {
			luma, cb, cr := random(r, n), random(r, n), random(r, n)
			got, want := fenced(3*n), make([]uint8, 3*n)
			YCCToRGB(got.inside, luma, cb, cr)
			portably(func() { YCCToRGB(want, luma, cb, cr) })
			if got.check(t); !slices.Equal(got.inside, want) {
				t.Fatalf("%d pixels differ", n)
			}
		}
	})
}

func TestLuma(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for _, n := range lengths(1) {
			rgb := random(r, 3*n)
			got, want := fenced(n), make([]uint8, n)
			Luma(got.inside, rgb)
			portably(func() { Luma(want, rgb) })
			if got.check(t); !slices.Equal(got.inside, want) {
				t.Fatalf("%d pixels: %v, want %v", n, got.inside, want)
			}
		}
	})
}

// someWeights are n outputs of random coefficients that sum to 1, over a random
// rising span of in inputs; or falling, as in a mirrored picture.
func someWeights(r *rand.Rand, in, n int) *Weights {
	w := &Weights{Size: 2 + r.IntN(9)}
	for i := range n {
		first := i * in / n
		count := min(1+r.IntN(w.Size), in-first)
		w.First, w.Count = append(w.First, first), append(w.Count, count)
		left := int32(1 << Precision)
		for k := range w.Size {
			tap := int32(r.IntN(3<<21)) - 1<<21
			if k == count-1 {
				tap = left
			}
			left -= tap
			w.Taps = append(w.Taps, tap)
		}
	}
	// Reach takes the first and the last output for the outermost.
	w.Count[n-1] = min(w.Size, in-w.First[n-1])
	for i := range n {
		w.Count[i] = min(w.Count[i], w.First[n-1]+w.Count[n-1]-w.First[i])
	}
	if r.IntN(2) == 0 {
		slices.Reverse(w.First)
		slices.Reverse(w.Count)
	}
	return w
}

func TestRows(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		var scratch []uint8
		for range 300 {
			channels, height := 1+2*r.IntN(2), 1+r.IntN(50)
			in, n := 1+r.IntN(80), 1+r.IntN(80)
			w := someWeights(r, in, n)
			stride, outStride := in*channels+r.IntN(9), n*channels+r.IntN(9)
			src := random(r, (height-1)*stride+in*channels)
			got, want := fenced((height-1)*outStride+n*channels), make([]uint8, (height-1)*outStride+n*channels)
			Rows(got.inside, outStride, src, stride, height, channels, w, &scratch)
			portably(func() { Rows(want, outStride, src, stride, height, channels, w, &scratch) })
			got.check(t)
			for y := range height {
				for x := range n * channels {
					if g, v := got.inside[y*outStride+x], want[y*outStride+x]; g != v {
						t.Fatalf("%dx%dx%d to %d at (%d, %d): %d, want %d", in, height, channels, n, x, y, g, v)
					}
				}
				if y < height-1 {
					for x := n * channels; x < outStride; x++ {
						if got.inside[y*outStride+x] != 0xa5 {
							t.Fatalf("wrote between the rows")
						}
					}
				}
			}
		}
	})
}

func norm(gray bool) *Norm {
	m := new(Norm)
	if gray {
		m.Set([3]float32{0.449, 0.449, 0.449}, [3]float32{0.226, 0.226, 0.226})
	} else {
		m.Set([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
	}
	return m
}

func TestColumns(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for _, n := range lengths(1) {
			gray := n%3 != 0
			stride, count := n+r.IntN(5), 1+r.IntN(9)
			src := random(r, (count-1)*stride+n)
			taps := make([]int32, count)
			for i := range taps {
				taps[i] = int32(r.IntN(3<<21)) - 1<<21
			}
			got, want := fenced(n), make([]uint8, n)
			ResampleBytes(got.inside, src, stride, taps)
			portably(func() { ResampleBytes(want, src, stride, taps) })
			if got.check(t); !slices.Equal(got.inside, want) {
				t.Fatalf("%d bytes of %d rows: %v, want %v", n, count, got.inside, want)
			}
			m := norm(gray)
			if !m.exact {
				t.Fatal("the kernels' divisions are not exact for ImageNet's values")
			}
			floats, wanted := make([]float32, n+1), make([]float32, n+1)
			ResampleFloats(floats[:n], src, stride, taps, m)
			portably(func() { ResampleFloats(wanted[:n], src, stride, taps, m) })
			if !slices.Equal(floats, wanted) {
				t.Fatalf("%d floats of %d rows: %v, want %v", n, count, floats, wanted)
			}
			Normalize(floats[:n], got.inside, m)
			if !slices.Equal(floats, wanted) {
				t.Fatalf("%d bytes normalised: %v, want %v", n, floats, wanted)
			}
		}
	})
}

// Whatever the values, the results are those of the table.
func TestNormIsTheTable(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		all := make([]uint8, 3*256)
		for i := range all {
			all[i] = uint8(i / 3)
		}
		out := make([]float32, len(all))
		inexact := 0
		for range 500 {
			var m Norm
			var mean, std [3]float32
			for c := range 3 {
				mean[c], std[c] = r.Float32(), r.Float32()+1e-3
			}
			m.Set(mean, std)
			if !m.exact {
				inexact++
			}
			Normalize(out, all, &m)
			for i, v := range out {
				if want := (float32(all[i])/255 - mean[i%3]) / std[i%3]; v != want {
					t.Fatalf("(%d/255 - %v)/%v is %v, want %v", all[i], mean[i%3], std[i%3], v, want)
				}
			}
		}
		if inexact > 5 {
			t.Errorf("%d of 500 normalisations cannot use the kernels", inexact)
		}
	})
}
