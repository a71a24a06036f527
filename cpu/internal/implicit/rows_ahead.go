package implicit

import "github.com/seed52467199/trainer/cpu/simd"

// beside is what Then reads of a band beside the result, to be fetched while that is
// summed, in equal parts: memory would be idle meanwhile.
type beside struct {
	maps     [][]float32
	fetching simd.FetchFunc
	at       int // the element of the next row
	rows     int // that are left
	step     int // floats from row to row
	lines    int // of a row
	share    int // rows of a part
}

// beside is that of panels [first, last) of a band of rows whose first begins at origin;
// Parts says that they lie side by side.
func (j *rowsJob) beside(origin, first, last, rows int) beside {
	if j.then == nil || len(j.then.Beside) == 0 {
		return beside{}
	}
	from, to := first*j.kernel.NR, min(last*j.kernel.NR, j.Out.Channels)
	return beside{
		maps: j.then.Beside, fetching: j.fetching,
		at: origin + from, rows: rows, step: j.Out.Pixel, lines: ceil(to-from, lineFloats),
		share: ceil(rows, (last-first)*len(j.passes)),
	}
}

// fetch asks for a part.
func (b *beside) fetch() {
	n := min(b.share, b.rows)
	if n == 0 {
		return
	}
	for _, m := range b.maps {
		if b.lines*lineFloats == b.step {
			b.fetching(&m[b.at], n*b.lines)
			continue
		}
		for r := range n {
			b.fetching(&m[b.at+r*b.step], b.lines)
		}
	}
	b.at += n * b.step
	b.rows -= n
}
