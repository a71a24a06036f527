package vec

import (
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

// Benchmarks report the bytes that a kernel has to read and write; each runs
// on data that fits the L2 cache and on data that fits none.

var benchSizes = []struct {
	name string
	n    int
}{{"L2", 32 << 10}, {"memory", 16 << 20}}

func bench(b *testing.B, bytes int, f func()) {
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	f()
	for b.Loop() {
		f()
	}
}

func randomSlices(count, n int) [][]float32 {
	r := newRand()
	all := make([][]float32, count)
	for i := range all {
		all[i] = make([]float32, n)
		for j := range all[i] {
			all[i][j] = r.Float32() - 0.5
		}
	}
	return all
}

func BenchmarkFlat(b *testing.B) {
	for _, size := range benchSizes {
		for _, k := range flats {
			b.Run(k.name+"/"+size.name, func(b *testing.B) {
				s := randomSlices(k.slices, size.n)
				k.prepare(s)
				bench(b, 4*size.n*(k.slices+k.outs-1), func() { k.fast(s) })
			})
		}
	}
}

func BenchmarkReduce(b *testing.B) {
	for _, size := range benchSizes {
		x := randomSlices(2, size.n)
		for _, k := range []struct {
			name   string
			inputs int
			f      func()
		}{
			{"Sum", 1, func() { Sum(x[0]) }},
			{"SumSquares", 1, func() { SumSquares(x[0]) }},
			{"Dot", 2, func() { Dot(x[0], x[1]) }},
			{"Max", 1, func() { Max(x[0]) }},
			{"AllFinite", 1, func() { AllFinite(x[0]) }},
		} {
			b.Run(k.name+"/"+size.name, func(b *testing.B) { bench(b, 4*size.n*k.inputs, k.f) })
		}
	}
}

func BenchmarkRows(b *testing.B) {
	for _, size := range benchSizes {
		for _, c := range []int{3, 16, 17, 64, 512, 2048} {
			for _, k := range rowsKernels {
				b.Run(fmt.Sprintf("%s/C=%d/%s", k.name, c, size.name), func(b *testing.B) {
					n := size.n / c * c
					x, channels := randomSlices(k.tensors, n), randomSlices(k.channels, c)
					sums := make([][]float64, k.sums)
					for i := range sums {
						sums[i] = make([]float64, c)
					}
					bench(b, 4*n*k.tensors, func() { k.fast(sums, x, channels) })
				})
			}
		}
	}
}

func BenchmarkLoss(b *testing.B) {
	for _, classes := range []int{10, 100, 1000} {
		x := randomSlices(3, classes)
		for _, k := range []struct {
			name string
			f    func()
		}{
			{"Softmax", func() { Softmax(x[0], x[1], classes) }},
			{"CrossEntropy", func() { CrossEntropy(x[0], x[1], 3, .1, 1) }},
			{"SoftCrossEntropy", func() { SoftCrossEntropy(x[0], x[1], x[2], .1, 1) }},
		} {
			b.Run(fmt.Sprintf("%s/classes=%d", k.name, classes), func(b *testing.B) { bench(b, 8*classes, k.f) })
		}
	}
}

func BenchmarkPool(b *testing.B) {
	const pixels = 56
	for _, c := range []int{6, 16, 64, 512} {
		width := (2*pixels + 1) * c
		x := randomSlices(1, 3*width)[0]
		y, index := make([]float32, pixels*c), make([]uint8, pixels*c)
		for _, window := range []int{2, 3} {
			var offsets []int
			for row := range window {
				for col := range window {
					offsets = append(offsets, row*width+col*c)
				}
			}
			for _, k := range []struct {
				name string
				f    func()
			}{
				{"MaxPool", func() { MaxPool(y, index, x, offsets, c, 2*c) }},
				{"MaxPoolGrad", func() { MaxPoolGrad(x, y, index, offsets, c, 2*c) }},
				{"AvgPool", func() { AvgPool(y, x, offsets, c, 2*c, .1) }},
				{"AvgPoolGrad", func() { AvgPoolGrad(x, y, offsets, c, 2*c, .1) }},
			} {
				b.Run(fmt.Sprintf("%s/C=%d/%dx%d", k.name, c, window, window), func(b *testing.B) {
					bench(b, 4*pixels*c*len(offsets), k.f)
				})
			}
		}
	}
}

func BenchmarkImage(b *testing.B) {
	const pixels = 224
	for _, c := range []int{1, 3} {
		x, y := make([]uint8, pixels*c), make([]float32, pixels*c)
		s := randomSlices(2, c)
		b.Run(fmt.Sprintf("NormalizeBytes/C=%d", c), func(b *testing.B) {
			bench(b, 5*len(x), func() { NormalizeBytes(y, x, s[0], s[1]) })
		})
		b.Run(fmt.Sprintf("NormalizeBytesFlipped/C=%d", c), func(b *testing.B) {
			bench(b, 5*len(x), func() { NormalizeBytesFlipped(y, x, s[0], s[1]) })
		})
	}
}

// BenchmarkPortable is what the assembly is worth.
func BenchmarkPortable(b *testing.B) {
	use(b, isa.Generic)
	for _, k := range flats {
		b.Run(k.name, func(b *testing.B) {
			s := randomSlices(k.slices, 4096)
			k.prepare(s)
			bench(b, 4*4096*(k.slices+k.outs-1), func() { k.fast(s) })
		})
	}
}
