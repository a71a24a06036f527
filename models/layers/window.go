package layers

import "github.com/seed52467199/trainer/graph"

// Windows is how a map of H x W tokens is cut into windows of Size x Size for attention
// (Liu et al., arXiv 2103.14030), after it was rolled by Shift towards its start. What a
// window has beyond the map is zeros.
type Windows struct{ H, W, Size, Shift int }

// counts are the numbers of rows and of columns of windows.
func (w Windows) counts() (rows, columns int) {
	return (w.H + w.Size - 1) / w.Size, (w.W + w.Size - 1) / w.Size
}

// Number is that of windows, Tokens that of tokens in one.
func (w Windows) Number() int {
	rows, columns := w.counts()
	return rows * columns
}

// Tokens is the number of tokens in a window.
func (w Windows) Tokens() int { return w.Size * w.Size }

// Cut is where each token of each window comes from in the map, -1 for zeros, for
// graph.Gather.
func (w Windows) Cut() []int {
	index := make([]int, 0, w.Number()*w.Tokens())
	w.each(func(y, x int) {
		if y >= w.H || x >= w.W {
			index = append(index, -1)
			return
		}
		index = append(index, (y+w.Shift)%w.H*w.W+(x+w.Shift)%w.W)
	})
	return index
}

// Join is where each token of the map lies in the windows.
func (w Windows) Join() []int {
	index := make([]int, w.H*w.W)
	for at, from := range w.Cut() {
		if from >= 0 {
			index[from] = at
		}
	}
	return index
}

// each calls f with the place of each token of each window in the rolled map.
func (w Windows) each(f func(y, x int)) {
	rows, columns := w.counts()
	for row := range rows {
		for column := range columns {
			for t := range w.Tokens() {
				f(row*w.Size+t/w.Size, column*w.Size+t%w.Size)
			}
		}
	}
}

// Regions tell for each window which of its tokens were neighbours before the map was
// rolled, for op.Attention; nil without a shift.
func (w Windows) Regions() [][]int {
	if w.Shift == 0 {
		return nil
	}
	rows, columns := w.counts()
	region := func(at, extent int) int {
		switch {
		case at < extent-w.Size:
			return 0
		case at < extent-w.Shift:
			return 1
		}
		return 2
	}
	var all []int
	w.each(func(y, x int) { all = append(all, 3*region(y, rows*w.Size)+region(x, columns*w.Size)) })
	regions := make([][]int, w.Number())
	for i := range regions {
		regions[i] = all[i*w.Tokens():][:w.Tokens()]
	}
	return regions
}

// RelativeBias is a learned bias of the logits of two tokens of a window by where they
// lie to each other: relative_position_bias_table ((2*size-1)^2, heads).
type RelativeBias struct {
	table *graph.Param
	size  int
}

// NewRelativeBias declares the table.
func NewRelativeBias(s graph.Scope, size, heads int, init graph.Init) *RelativeBias {
	shape := graph.Shape{(2*size - 1) * (2*size - 1), heads}
	return &RelativeBias{table: s.Param("relative_position_bias_table", shape, graph.Layout{}, graph.Bias, init), size: size}
}

// Forward is the bias (heads, L, L) for the L tokens of a window.
func (b *RelativeBias) Forward(g *graph.Graph) *graph.Node {
	tokens := b.size * b.size
	index := make([]int, 0, tokens*tokens)
	for q := range tokens {
		for k := range tokens {
			dy, dx := q/b.size-k/b.size+b.size-1, q%b.size-k%b.size+b.size-1
			index = append(index, dy*(2*b.size-1)+dx)
		}
	}
	heads := b.table.Shape[1]
	return g.Permute(g.Reshape(g.Gather(g.Param(b.table), index), tokens, tokens, heads), 2, 0, 1)
}
