package implicit

import "github.com/seed52467199/trainer/cpu/simd"

// ahead is what a band will read, to be fetched while the one before it is summed:
// memory is slow to begin, and a band is laid out too fast to hide that.
type ahead struct {
	x, dy []float32
	share int // floats of each that one tile asks for
}

// lineFloats is a cache line.
const lineFloats = 16

// ahead is what band b reads where one piece of work reads and uses all of it, to be fetched
// in the time of so many tiles.
func (j *colsJob) ahead(b band, tiles int) ahead {
	if j.Lanes || j.pairs != nil || j.Groups*j.cut.channels*j.cut.columns > 1 {
		return ahead{}
	}
	from, to := b.row*j.StepH+j.TapsH[0], (b.row+b.rows-1)*j.StepH+j.TapsH[len(j.TapsH)-1]+1
	from, to = max(from, 0), min(to, j.InH)
	if from >= to {
		return ahead{}
	}
	row := j.InW * j.InPixel
	a := ahead{
		x:  j.x[(b.image*j.InH+from)*row : ((b.image+b.images-1)*j.InH+to)*row],
		dy: j.dy[j.position(b)*j.Pixel:][:b.images*b.rows*j.OutW*j.Pixel],
	}
	a.share = round(ceil(max(len(a.x), len(a.dy)), tiles), lineFloats)
	return a
}

// fetch asks for a tile's share.
func (a *ahead) fetch(f simd.FetchFunc) {
	for _, s := range []*[]float32{&a.x, &a.dy} {
		if n := min(a.share, len(*s)); n > 0 {
			f(&(*s)[0], ceil(n, lineFloats))
			*s = (*s)[n:]
		}
	}
}
