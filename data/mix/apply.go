package mix

// Images mixes pictures (len(shares), height, width, channels) where they lie.
func Images(images []float32, shares []Share, height, width, channels int) {
	n, row := len(shares), width*channels
	for i := range n / 2 {
		a, b := shares[i], shares[n-1-i]
		if a == whole && b == whole {
			continue
		}
		x := images[i*height*row:][:height*row]
		y := images[(n-1-i)*height*row:][:height*row]
		if !a.Cut && !b.Cut {
			blend(x, y, float32(a.Own), float32(b.Own))
			continue
		}
		for r := range height {
			mixRow(x[r*row:][:row], y[r*row:][:row], a, b, r, channels)
		}
	}
}

// mixRow mixes row r of two partners: between the edges of their boxes, both have
// one weight.
func mixRow(x, y []float32, a, b Share, r, channels int) {
	for from := 0; from < len(x); {
		column := from / channels
		p, end := a.weight(r, column, len(x)/channels)
		q, other := b.weight(r, column, len(x)/channels)
		to := min(end, other) * channels
		blend(x[from:to], y[from:to], p, q)
		from = to
	}
}

// weight is how much of a sample's own picture is left at a pixel, and the column up
// to which that holds.
func (s Share) weight(row, column, width int) (own float32, until int) {
	switch {
	case !s.Cut:
		return float32(s.Own), width
	case row < s.Box.Top || row >= s.Box.Bottom || column >= s.Box.Right:
		return 1, width
	case column < s.Box.Left:
		return 1, s.Box.Left
	}
	return 0, s.Box.Right
}

// blend makes x of p parts x and the rest y, and y of q parts y and the rest x. Values
// that are taken over whole keep their bits.
func blend(x, y []float32, p, q float32) {
	y = y[:len(x)]
	switch {
	case p == 1 && q == 1:
	case p == 1 && q == 0:
		copy(y, x)
	case p == 0 && q == 1:
		copy(x, y)
	default:
		// The conversions keep products and sums from being fused: all processors
		// round alike.
		for i, v := range x {
			w := y[i]
			x[i] = float32(v*p) + float32(w*(1-p))
			y[i] = float32(w*q) + float32(v*(1-q))
		}
	}
}

// Targets mixes targets (len(shares), outputs) where they lie.
func Targets(targets []float32, shares []Share, outputs int) {
	n := len(shares)
	for i := range n / 2 {
		j := n - 1 - i
		blend(targets[i*outputs:][:outputs], targets[j*outputs:][:outputs], float32(shares[i].Own), float32(shares[j].Own))
	}
}
