package conv

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/simd"
)

// wide is micro-kernels of AVX-512's shapes, written as the definitions in
// package simd read, so that plans for these shapes are tried on any
// processor.
var wide = &simd.Set{
	Rows:     []simd.Rows{{MR: 12, NR: 32, Run: wideRows(12, 32, false)}, {MR: 12, NR: 16, Run: wideRows(12, 16, false)}, {MR: 12, NR: 8, Run: wideRows(12, 8, false)}},
	LaneRows: simd.Rows{MR: 12, NR: 16, Run: wideRows(12, 16, true)},
	Cols:     []simd.Cols{{MR: 8, NR: 32, Run: wideCols(8, 32)}, {MR: 12, NR: 16, Run: wideCols(12, 16)}, {MR: 12, NR: 8, Run: wideCols(12, 8)}},
	LaneCols: simd.LaneCols{MT: 9, NR: 16, Run: wideLaneCols(9, 16)},
	Gather:   map[int]simd.GatherFunc{8: wideGather(8), 12: wideGather(12), 16: wideGather(16), 32: wideGather(32)},
	Deal:     map[int]simd.DealFunc{8: wideDeal(8), 12: wideDeal(12)},
	Sum: func(x *float32, n, parts, step int) {
		for i := range n {
			for p := range parts {
				*at(x, i) += *at(x, i+(p+1)*step)
			}
		}
	},
	Fetch:  func(*float32, int) {},
	Square: 1,
	Turn:   func(dst *float32, _ int, src *float32, _ int) { *dst = *src },
	Scatter: func(dst *float32, rowC *int, src *float32, rows, step, n, add int) {
		for i, to := range unsafe.Slice(rowC, rows) {
			for k := range n {
				v := *at(src, i*step+k)
				if add != 0 {
					v += *at(dst, to+k)
				}
				*at(dst, to+k) = v
			}
		}
	},
}

func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

func wideRows(mr, nr int, lanes bool) simd.RowsFunc {
	return func(a *float32, rowA, rowC *int, tiles int, taps *int, ntaps, kc int, b, c, start *float32, floor, ceiling float32) {
		as, cs := unsafe.Slice(rowA, tiles*mr), unsafe.Slice(rowC, tiles*mr)
		for first := 0; first < len(as); first += mr {
			var sums []float32
			for i := first; i < first+mr; i++ {
				for n := range nr {
					sum := *at(c, cs[i]+n)
					if start != nil {
						sum = *at(start, n)
					}
					for t, tap := range unsafe.Slice(taps, ntaps) {
						for k := range kc {
							x := as[i] + tap + k
							if lanes {
								x += n
							}
							sum += *at(a, x) * *at(b, (t*kc+k)*nr+n)
						}
					}
					if sum < floor {
						sum = floor
					}
					if sum > ceiling {
						sum = ceiling
					}
					sums = append(sums, sum)
				}
			}
			for i, sum := range sums {
				*at(c, cs[first+i/nr]+i%nr) = sum
			}
		}
	}
}

func wideCols(mr, nr int) simd.ColsFunc {
	return func(a *float32, lda int, segs *int, nseg, kc int, b *float32, ldb int, c *float32, fresh int) {
		for i := range mr {
			for n := range nr {
				sum := at(c, i*nr+n)
				if fresh != 0 {
					*sum = 0
				}
				for s, seg := range unsafe.Slice(segs, nseg) {
					for p := range kc {
						*sum += *at(a, seg+p*lda+i) * *at(b, (s*kc+p)*ldb+n)
					}
				}
			}
		}
	}
}

func wideLaneCols(mt, nr int) simd.LaneColsFunc {
	return func(a *float32, lda int, taps, segs *int, nseg, kc int, b *float32, ldb int, c *float32, fresh int) {
		for t, tap := range unsafe.Slice(taps, mt) {
			for n := range nr {
				sum := at(c, t*nr+n)
				if fresh != 0 {
					*sum = 0
				}
				for s, seg := range unsafe.Slice(segs, nseg) {
					for p := range kc {
						*sum += *at(a, tap+seg+p*lda+n) * *at(b, (s*kc+p)*ldb+n)
					}
				}
			}
		}
	}
}

func wideGather(width int) simd.GatherFunc {
	return func(dst, src *float32, pieces, step int) {
		for i := range pieces * width {
			*at(dst, i) = *at(src, i/width*step+i%width)
		}
	}
}

func wideDeal(width int) simd.DealFunc {
	return func(dst, src *float32, pixels, step, panels, panelStep int) {
		for p := range panels {
			wideGather(width)(at(dst, p*panelStep), at(src, p*width), pixels, step)
		}
	}
}
