package pretrain

import (
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/internal/rng"
)

// patchify cuts images (N, H, W, C) into squares of side pixels, row by row:
// (N, H/side*W/side, side*side*C), each square's pixels in the images' order.
func patchify(g *graph.Graph, images *graph.Node, side int) *graph.Node {
	if images == nil {
		return nil
	}
	n, h, w, c := images.Shape()[0], images.Shape()[1]/side, images.Shape()[2]/side, images.Shape()[3]
	x := g.Permute(g.Reshape(images, n, h, side, w, side, c), 0, 1, 3, 2, 4, 5)
	return g.Reshape(x, n, h*w, side*side*c)
}

// unpatchify makes a map (N, h, w, side*side*C) images again: (N, h*side, w*side, C).
func unpatchify(g *graph.Graph, x *graph.Node, side int) *graph.Node {
	if x == nil {
		return nil
	}
	n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]/(side*side)
	x = g.Permute(g.Reshape(x, n, h, w, side, side, c), 0, 1, 3, 2, 4, 5)
	return g.Reshape(x, n, h*side, w*side, c)
}

// squares hides some squares of a grid of side x side cells, each square unit x unit
// cells large.
type squares struct {
	side, unit int
	hidden     int // squares
}

// newSquares hides this share of the squares, rounded up.
func newSquares(side, unit int, share float64) squares {
	n := side / unit
	return squares{side, unit, int(math.Ceil(share*float64(n*n) - 1e-9))}
}

// number is how many squares there are.
func (s squares) number() int { n := s.side / s.unit; return n * n }

// share is the part of the cells that is hidden.
func (s squares) share() float64 { return float64(s.hidden) / float64(s.number()) }

// draw writes 1 for the cells that are hidden and 0 for the others, row by row.
func (s squares) draw(dst []float32, r *rng.Stream) {
	clear(dst)
	across := s.side / s.unit
	choose(s.number(), s.hidden, r, func(square int) {
		top, left := square/across*s.unit, square%across*s.unit
		for y := range s.unit {
			row := dst[(top+y)*s.side+left:]
			for x := range s.unit {
				row[x] = 1
			}
		}
	})
}

// choose calls take for k of n things, all choices alike, in rising order (Knuth, The Art
// of Computer Programming 2, 3.4.2, algorithm S).
func choose(n, k int, r *rng.Stream, take func(i int)) {
	for i := 0; k > 0; i++ {
		if r.IntN(n-i) < k {
			take(i)
			k--
		}
	}
}
