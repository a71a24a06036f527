package portable

// Normalize is y = x*scale + shift for each row of x (rows, C).
func Normalize[T Float](y, x, scale, shift []T) {
	for row := 0; row < len(y); row += len(scale) {
		for c := range scale {
			i := row + c
			y[i] = x[i]*scale[c] + shift[c]
		}
	}
}

// NormalizeReLU is y = max(x*scale + shift, 0) for each row of x (rows, C).
func NormalizeReLU[T Float](y, x, scale, shift []T) {
	for row := 0; row < len(y); row += len(scale) {
		for c := range scale {
			i := row + c
			y[i] = positive(x[i]*scale[c] + shift[c])
		}
	}
}

// NormalizeAdd is y = x*scale + shift + residual for each row of x (rows, C).
func NormalizeAdd[T Float](y, x, residual, scale, shift []T) {
	for row := 0; row < len(y); row += len(scale) {
		for c := range scale {
			i := row + c
			y[i] = x[i]*scale[c] + shift[c] + residual[i]
		}
	}
}

// NormalizeAddReLU is y = max(x*scale + shift + residual, 0) for each row of x (rows, C).
func NormalizeAddReLU[T Float](y, x, residual, scale, shift []T) {
	for row := 0; row < len(y); row += len(scale) {
		for c := range scale {
			i := row + c
			y[i] = positive(x[i]*scale[c] + shift[c] + residual[i])
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

// GradMomentsReLU is GradMoments of dy where y > 0, else 0. It stores that in
// masked unless masked is nil.
func GradMomentsReLU[T Float](sum, product []float64, masked, dy, x, y, mean []T) {
	for row := 0; row < len(dy); row += len(mean) {
		for c, m := range mean {
			i := row + c
			d := where(y[i] > 0, dy[i])
			if masked != nil {
				masked[i] = d
			}
			sum[c] += float64(d)
			product[c] += float64(d) * (float64(x[i]) - float64(m))
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

// NormalizeGradReLU is NormalizeGrad of dy where y > 0, else 0.
func NormalizeGradReLU[T Float](dx, dy, x, y, a, b, c []T) {
	for row := 0; row < len(dx); row += len(a) {
		for j := range a {
			i := row + j
			dx[i] = a[j]*where(y[i] > 0, dy[i]) + (b[j]*x[i] + c[j])
		}
	}
}
