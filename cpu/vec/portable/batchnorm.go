package portable

// Normalize is y = x*scale + shift, limited to lo..hi, for each row of x (rows, C).
func Normalize[T Float](y, x, scale, shift []T, lo, hi T) {
	for row := 0; row < len(y); row += len(scale) {
		for c := range scale {
			i := row + c
			y[i] = bounded(normalized(x[i], scale[c], shift[c]), lo, hi)
		}
	}
}

// normalized is x*scale + shift, with the same bits wherever it is used: the
// conversion keeps the compiler from fusing the operations.
func normalized[T Float](x, scale, shift T) T { return T(x*scale) + shift }

// NormalizeAdd is y = x*scale + shift + residual, limited to lo..hi, for each row
// of x (rows, C).
func NormalizeAdd[T Float](y, x, residual, scale, shift []T, lo, hi T) {
	for row := 0; row < len(y); row += len(scale) {
		for c := range scale {
			i := row + c
			y[i] = bounded(normalized(x[i], scale[c], shift[c])+residual[i], lo, hi)
		}
	}
}

// GradMoments adds to sum and product (C) the rows of dy and of dy*(x-mean).
func GradMoments[T Float](sum, product []float64, dy, x, mean []T) {
	for row := 0; row < len(dy); row += len(mean) {
		for c, m := range mean {
			i := row + c
			sum[c] += float64(dy[i])
			product[c] += float64(dy[i]) * (float64(x[i]) - float64(m))
		}
	}
}

// GradMomentsClip is GradMoments of dy where Normalize's result lies inside lo..hi,
// else 0.
func GradMomentsClip[T Float](sum, product []float64, dy, x, mean, scale, shift []T, lo, hi T) {
	for row := 0; row < len(dy); row += len(mean) {
		for c, m := range mean {
			i := row + c
			d := where(within(normalized(x[i], scale[c], shift[c]), lo, hi), dy[i])
			sum[c] += float64(d)
			product[c] += float64(d) * (float64(x[i]) - float64(m))
		}
	}
}

// within tells whether lo < y < hi.
func within[T Float](y, lo, hi T) bool { return y > lo && y < hi }

// GradMomentsMasked is GradMoments of dy where lo < y < hi, else 0. It stores that
// in masked unless masked is nil.
func GradMomentsMasked[T Float](sum, product []float64, masked, dy, x, y, mean []T, lo, hi T) {
	for row := 0; row < len(dy); row += len(mean) {
		for c, m := range mean {
			i := row + c
			d := where(within(y[i], lo, hi), dy[i])
			if masked != nil {
				masked[i] = d
			}
			sum[c] += float64(d)
			product[c] += float64(d) * (float64(x[i]) - float64(m))
		}
	}
}

// Mask is the clip behind a batch norm, as its gradient sees it; see package vec.
type Mask[T Float] struct {
	Lo, Hi       T
	Scale, Shift []T
}

// passes tells whether the value of channel c that was x before the norm was inside
// the clip; y, where it is not nil, is the clip's result at i.
func (m *Mask[T]) passes(y []T, i, c int, x T) bool {
	switch {
	case y != nil:
		return within(y[i], m.Lo, m.Hi)
	case m.Scale != nil:
		return within(normalized(x, m.Scale[c], m.Shift[c]), m.Lo, m.Hi)
	}
	return true
}

// MaskMoments makes dy 0 where the mask does not let it pass and adds to sum and
// product (C) its rows, which lie stride elements apart, and dy*(x-mean).
func MaskMoments[T Float](sum, product []float64, dy, x, y, mean []T, m Mask[T], rows, stride int) {
	for row := range rows {
		for c, mu := range mean {
			i := row*stride + c
			if !m.passes(y, i, c, x[i]) {
				dy[i] = 0
			}
			sum[c] += float64(dy[i])
			product[c] += float64(dy[i]) * (float64(x[i]) - float64(mu))
		}
	}
}

// NormalizeGrad is dx = a*dy + b*x + c for each row (rows, C), with a, b and c (C).
func NormalizeGrad[T Float](dx, dy, x, a, b, c []T) {
	for row := 0; row < len(dx); row += len(a) {
		for j := range a {
			i := row + j
			dx[i] = a[j]*dy[i] + (b[j]*x[i] + c[j])
		}
	}
}

// NormalizeGradClip is NormalizeGrad of dy where Normalize's result lies inside
// lo..hi, else 0.
func NormalizeGradClip[T Float](dx, dy, x, a, b, c, scale, shift []T, lo, hi T) {
	for row := 0; row < len(dx); row += len(a) {
		for j := range a {
			i := row + j
			d := where(within(normalized(x[i], scale[j], shift[j]), lo, hi), dy[i])
			dx[i] = a[j]*d + (b[j]*x[i] + c[j])
		}
	}
}

// NormalizeGradMasked is NormalizeGrad of dy where lo < y < hi, else 0.
func NormalizeGradMasked[T Float](dx, dy, x, y, a, b, c []T, lo, hi T) {
	for row := 0; row < len(dx); row += len(a) {
		for j := range a {
			i := row + j
			dx[i] = a[j]*where(within(y[i], lo, hi), dy[i]) + (b[j]*x[i] + c[j])
		}
	}
}
