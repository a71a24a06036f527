package simd

import "unsafe"

// The portable kernels. Their tile is small enough for the compiler to keep
// in the registers of every 64-bit processor.
const (
	goMR = 2
	goNR = 4
	goMT = 3
)

var goSet = &Set{
	Rows:     []Rows{{goMR, goNR, rowsGo, rowsGo, nil}},
	Cols:     []Cols{{goMR, goNR, colsGo}},
	LaneRows: Rows{goMR, goNR, laneRowsGo, nil, nil},
	LaneCols: LaneCols{goMT, goNR, laneColsGo},
	Gather:   map[int]GatherFunc{goMR: gatherGo[[goMR]float32], goNR: gatherGo[[goNR]float32]},
	Deal:     map[int]DealFunc{goMR: dealGo},
	Sum:      sumGo,
	Scatter:  scatterGo,
	Fetch:    func(*float32, int) {},
	Square:   1,
	Turn:     func(dst *float32, _ int, src *float32, _ int) { *dst = *src },
}

// floats is the n floats that begin offset floats after p.
func floats(p *float32, offset, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), 4*offset)), n)
}

// four is a tile's row, or the NR weights of one term.
type four = [goNR]float32

func fourAt(p *float32, offset int) *four {
	return (*four)(unsafe.Add(unsafe.Pointer(p), 4*offset))
}

// finish stores a row, its values brought into the bounds. The comparisons keep
// what is not a number.
func finish(row *four, floor, ceiling float32, v0, v1, v2, v3 float32) {
	for i, v := range [goNR]float32{v0, v1, v2, v3} {
		if v < floor {
			v = floor
		}
		if v > ceiling {
			v = ceiling
		}
		row[i] = v
	}
}

func rowsGo(a *float32, rowA, rowC *int, tiles int, taps *int, ntaps, kc int, b, c, start *float32, floor, ceiling float32) {
	as, cs := unsafe.Slice(rowA, tiles*goMR), unsafe.Slice(rowC, tiles*goMR)
	for i := 0; i < len(as); i += goMR {
		c0, c1 := fourAt(c, cs[i]), fourAt(c, cs[i+1])
		from0, from1 := c0, c1
		if start != nil {
			from0, from1 = fourAt(start, 0), fourAt(start, 0)
		}
		x0, x1, x2, x3 := from0[0], from0[1], from0[2], from0[3]
		y0, y1, y2, y3 := from1[0], from1[1], from1[2], from1[3]
		for t, tap := range unsafe.Slice(taps, ntaps) {
			ys := floats(a, as[i+1]+tap, kc)
			for k, x := range floats(a, as[i]+tap, kc) {
				y, w := ys[k], fourAt(b, (t*kc+k)*goNR)
				x0 += x * w[0]
				x1 += x * w[1]
				x2 += x * w[2]
				x3 += x * w[3]
				y0 += y * w[0]
				y1 += y * w[1]
				y2 += y * w[2]
				y3 += y * w[3]
			}
		}
		finish(c0, floor, ceiling, x0, x1, x2, x3)
		finish(c1, floor, ceiling, y0, y1, y2, y3)
	}
}

func laneRowsGo(a *float32, rowA, rowC *int, tiles int, taps *int, ntaps, _ int, b, c, start *float32, floor, ceiling float32) {
	as, cs := unsafe.Slice(rowA, tiles*goMR), unsafe.Slice(rowC, tiles*goMR)
	for i := range as {
		row := fourAt(c, cs[i])
		from := row
		if start != nil {
			from = fourAt(start, 0)
		}
		v0, v1, v2, v3 := from[0], from[1], from[2], from[3]
		for t, tap := range unsafe.Slice(taps, ntaps) {
			x, w := fourAt(a, as[i]+tap), fourAt(b, t*goNR)
			v0 += x[0] * w[0]
			v1 += x[1] * w[1]
			v2 += x[2] * w[2]
			v3 += x[3] * w[3]
		}
		// A row that fills up the last tile is the row before it once more:
		// it must not be summed onto c twice.
		if i+1 < len(as) && start == nil && cs[i+1] == cs[i] {
			continue
		}
		finish(row, floor, ceiling, v0, v1, v2, v3)
	}
}

func colsGo(a *float32, lda int, segs *int, nseg, kc int, b *float32, ldb int, c *float32, fresh int) {
	c0, c1 := fourAt(c, 0), fourAt(c, goNR)
	if fresh != 0 {
		*c0, *c1 = four{}, four{}
	}
	x0, x1, x2, x3 := c0[0], c0[1], c0[2], c0[3]
	y0, y1, y2, y3 := c1[0], c1[1], c1[2], c1[3]
	pixel := 0
	for _, seg := range unsafe.Slice(segs, nseg) {
		for p := range kc {
			xy := floats(a, seg+p*lda, goMR)
			x, y, w := xy[0], xy[1], fourAt(b, pixel*ldb)
			x0 += x * w[0]
			x1 += x * w[1]
			x2 += x * w[2]
			x3 += x * w[3]
			y0 += y * w[0]
			y1 += y * w[1]
			y2 += y * w[2]
			y3 += y * w[3]
			pixel++
		}
	}
	*c0 = four{x0, x1, x2, x3}
	*c1 = four{y0, y1, y2, y3}
}

func laneColsGo(a *float32, lda int, taps, segs *int, nseg, kc int, b *float32, ldb int, c *float32, fresh int) {
	for t, tap := range unsafe.Slice(taps, goMT) {
		tile := fourAt(c, t*goNR)
		if fresh != 0 {
			*tile = four{}
		}
		v0, v1, v2, v3 := tile[0], tile[1], tile[2], tile[3]
		pixel := 0
		for _, seg := range unsafe.Slice(segs, nseg) {
			for p := range kc {
				x, y := fourAt(a, tap+seg+p*lda), fourAt(b, pixel*ldb)
				v0 += x[0] * y[0]
				v1 += x[1] * y[1]
				v2 += x[2] * y[2]
				v3 += x[3] * y[3]
				pixel++
			}
		}
		*tile = four{v0, v1, v2, v3}
	}
}

func gatherGo[Piece [goMR]float32 | [goNR]float32](dst, src *float32, pieces, step int) {
	d := unsafe.Slice((*Piece)(unsafe.Pointer(dst)), pieces)
	for i := range d {
		d[i] = *(*Piece)(unsafe.Add(unsafe.Pointer(src), 4*i*step))
	}
}

func dealGo(dst, src *float32, pixels, step, panels, panelStep int) {
	for p := range panels {
		gatherGo[[goMR]float32](&floats(dst, p*panelStep, 1)[0], &floats(src, p*goMR, 1)[0], pixels, step)
	}
}

func sumGo(x *float32, n, parts, step int) {
	sum := floats(x, 0, n)
	for i := range parts {
		for k, v := range floats(x, (i+1)*step, n) {
			sum[k] += v
		}
	}
}

func scatterGo(dst *float32, rowC *int, src *float32, rows, step, n, add int) {
	for i, to := range unsafe.Slice(rowC, rows) {
		row := floats(dst, to, n)
		for k, v := range floats(src, i*step, n) {
			if add != 0 {
				v += row[k]
			}
			row[k] = v
		}
	}
}
