package conv

import (
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// layers are the convolutions of the networks whose speed counts: square
// maps, "same" padding.
var layers = []struct {
	name                        string
	n, size, c, k, kernel, step int
	groups                      int
}{
	{"resnet20/stem", 128, 32, 3, 16, 3, 1, 1},
	{"resnet20/16", 128, 32, 16, 16, 3, 1, 1},
	{"resnet20/16-32", 128, 32, 16, 32, 3, 2, 1},
	{"resnet20/32", 128, 16, 32, 32, 3, 1, 1},
	{"resnet20/32-64", 128, 16, 32, 64, 3, 2, 1},
	{"resnet20/64", 128, 8, 64, 64, 3, 1, 1},
	{"resnet18/stem", 32, 224, 3, 64, 7, 2, 1},
	{"resnet18/64", 32, 56, 64, 64, 3, 1, 1},
	{"resnet18/64-128", 32, 56, 64, 128, 3, 2, 1},
	{"resnet18/64-128skip", 32, 56, 64, 128, 1, 2, 1},
	{"resnet18/128", 32, 28, 128, 128, 3, 1, 1},
	{"resnet18/256", 32, 14, 256, 256, 3, 1, 1},
	{"resnet18/256-512", 32, 14, 256, 512, 3, 2, 1},
	{"resnet18/512", 32, 7, 512, 512, 3, 1, 1},
	{"resnet50/256-64", 16, 56, 256, 64, 1, 1, 1},
	{"resnet50/1024-256", 16, 14, 1024, 256, 1, 1, 1},
	{"resnet50/64-256", 16, 56, 64, 256, 1, 1, 1},
	{"resnet50/512-1024skip", 16, 28, 512, 1024, 1, 2, 1},
	{"resnet50/2048-512", 16, 7, 2048, 512, 1, 1, 1},
	{"resnet50/512-2048", 16, 7, 512, 2048, 1, 1, 1},
	{"lenet5/1-6", 128, 28, 1, 6, 5, 1, 1},
	{"lenet5/6-16", 128, 14, 6, 16, 5, 1, 1},
	{"airbench/64", 500, 15, 64, 64, 3, 1, 1},
	{"airbench/64-256", 500, 15, 64, 256, 3, 1, 1},
	{"airbench/256", 500, 7, 256, 256, 3, 1, 1},
	{"airbench/256", 500, 3, 256, 256, 3, 1, 1},
	{"mobilenet/32", 32, 112, 32, 32, 3, 1, 32},
	{"mobilenet/96", 32, 112, 96, 96, 3, 2, 96},
	{"mobilenet/144", 32, 56, 144, 144, 3, 1, 144},
	{"mobilenet/192", 32, 28, 192, 192, 3, 1, 192},
	{"mobilenet/384", 32, 14, 384, 384, 3, 1, 384},
	{"mobilenet/576", 32, 14, 576, 576, 3, 2, 576},
	{"mobilenet/960", 32, 7, 960, 960, 3, 1, 960},
	{"mobilenet/32-16", 32, 112, 32, 16, 1, 1, 1},
	{"mobilenet/16-96", 32, 112, 16, 96, 1, 1, 1},
	{"mobilenet/96-24", 32, 56, 96, 24, 1, 1, 1},
	{"mobilenet/24-144", 32, 56, 24, 144, 1, 1, 1},
	{"mobilenet/144-24", 32, 56, 144, 24, 1, 1, 1},
	{"mobilenet/32-192", 32, 28, 32, 192, 1, 1, 1},
	{"mobilenet/192-32", 32, 28, 192, 32, 1, 1, 1},
	{"mobilenet/64-384", 32, 14, 64, 384, 1, 1, 1},
	{"mobilenet/384-64", 32, 14, 384, 64, 1, 1, 1},
	{"mobilenet/96-576", 32, 14, 96, 576, 1, 1, 1},
	{"mobilenet/160-960", 32, 7, 160, 960, 1, 1, 1},
	{"mobilenet/960-160", 32, 7, 960, 160, 1, 1, 1},
	{"mobilenet/320-1280", 32, 7, 320, 1280, 1, 1, 1},
}

func benchmarkLayers(b *testing.B, prepare func(s Shape, p *pool.Pool) func()) {
	p := pool.New(0)
	defer p.Close()
	for _, l := range layers {
		pad := l.kernel / 2
		s := Shape{
			N: l.n, H: l.size, W: l.size, C: l.c, K: l.k, KH: l.kernel, KW: l.kernel,
			StrideH: l.step, StrideW: l.step,
			PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad,
			DilationH: 1, DilationW: 1, Groups: l.groups,
		}
		b.Run(fmt.Sprintf("%s_%dx%d_b%d", l.name, l.size, l.size, l.n), func(b *testing.B) {
			run := prepare(s, p)
			if run == nil {
				b.Skip("not served")
			}
			run()
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(s.FLOPs())*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GF/s")
		})
	}
}

func ones(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

func BenchmarkForward(b *testing.B) {
	benchmarkLayers(b, func(s Shape, p *pool.Pool) func() {
		f, _ := NewForward(s, Epilogue{Bias: true, Clip: simd.Clip{Hi: 6}}, Auto)
		x, w, bias, y := ones(s.xLen()), ones(s.wLen()), ones(s.K), ones(s.yLen())
		scratch := ones(f.ScratchFloats(p.Threads()))
		return func() { f.Run(p, x, w, bias, y, scratch) }
	})
}

func BenchmarkInputGrad(b *testing.B) {
	benchmarkLayers(b, func(s Shape, p *pool.Pool) func() {
		g, _ := NewInputGrad(s, Auto)
		dx, w, dy := ones(s.xLen()), ones(s.wLen()), ones(s.yLen())
		scratch := ones(g.ScratchFloats(p.Threads()))
		return func() { g.Run(p, dy, w, dx, scratch) }
	})
}

func BenchmarkWeightGrad(b *testing.B) {
	benchmarkLayers(b, func(s Shape, p *pool.Pool) func() {
		g, _ := NewWeightGrad(s, Auto)
		x, dw, dy := ones(s.xLen()), ones(s.wLen()), ones(s.yLen())
		scratch := ones(g.ScratchFloats(p.Threads()))
		return func() { g.Run(p, x, dy, dw, scratch) }
	})
}

// halfMethods are the ways to compute with maps in bfloat16, to choose between.
func halfMethods(b *testing.B, run func(b *testing.B, m Method)) {
	for name, m := range map[string]Method{"direct": Direct, "winograd": winograd4} {
		b.Run(name, func(b *testing.B) { run(b, m) })
	}
}

func BenchmarkHalfForward(b *testing.B) {
	halfMethods(b, func(b *testing.B, m Method) {
		benchmarkLayers(b, func(s Shape, p *pool.Pool) func() {
			f, _ := NewHalfForward(s, Epilogue{Bias: true, Clip: simd.Clip{Hi: 6}}, m)
			if f == nil {
				return nil
			}
			x, w, bias, y := make([]uint16, s.xLen()), ones(s.wLen()), ones(s.K), make([]uint16, s.yLen())
			scratch := ones(f.ScratchFloats(p.Threads()))
			return func() { f.RunThen(p, x, w, bias, y, scratch, nil) }
		})
	})
}

func BenchmarkHalfInputGrad(b *testing.B) {
	halfMethods(b, func(b *testing.B, m Method) {
		benchmarkLayers(b, func(s Shape, p *pool.Pool) func() {
			g, _ := NewHalfInputGrad(s, m)
			if g == nil {
				return nil
			}
			dx, w, dy := make([]uint16, s.xLen()), ones(s.wLen()), make([]uint16, s.yLen())
			scratch := ones(g.ScratchFloats(p.Threads()))
			return func() { g.RunThen(p, dy, w, dx, scratch, nil) }
		})
	})
}

func BenchmarkHalfWeightGrad(b *testing.B) {
	halfMethods(b, func(b *testing.B, m Method) {
		benchmarkLayers(b, func(s Shape, p *pool.Pool) func() {
			g, _ := NewHalfWeightGrad(s, m)
			if g == nil {
				return nil
			}
			x, dw, dy := make([]uint16, s.xLen()), ones(s.wLen()), make([]uint16, s.yLen())
			scratch := ones(g.ScratchFloats(p.Threads()))
			return func() { g.Run(p, x, dy, dw, scratch) }
		})
	})
}
