package portable

// AddBias is y = x + bias for each row of x (rows, C), bias (C).
func AddBias[T Float](y, x, bias []T) {
	for row := 0; row < len(y); row += len(bias) {
		for c, v := range bias {
			y[row+c] = x[row+c] + v
		}
	}
}

// ScaleChannels is y = x * scale for each row of x (rows, C), scale (C).
func ScaleChannels[T Float](y, x, scale []T) {
	for row := 0; row < len(y); row += len(scale) {
		for c, v := range scale {
			y[row+c] = x[row+c] * v
		}
	}
}

// ChannelSum adds to sum (C) the rows of x (rows, C).
func ChannelSum[T Float](sum []float64, x []T) {
	for row := 0; row < len(x); row += len(sum) {
		for c := range sum {
			sum[c] += float64(x[row+c])
		}
	}
}

// ClipGradSum is dx = dy where lo < y < hi, else 0, and adds its rows to sum (C). The
// rows of dy lie stride elements apart.
func ClipGradSum[T Float](sum []float64, dx, dy, y []T, stride int, lo, hi T) {
	for i := range len(y) / len(sum) {
		row := i * len(sum)
		for c := range sum {
			d := where(within(y[row+c], lo, hi), dy[i*stride+c])
			dx[row+c] = d
			sum[c] += float64(d)
		}
	}
}

// PReLU is y = x, or slope*x where x is not above 0, for each row of x (rows, C),
// slope (C).
func PReLU[T Float](y, x, slope []T) {
	for row := 0; row < len(y); row += len(slope) {
		for c, s := range slope {
			if y[row+c] = x[row+c]; !(x[row+c] > 0) {
				y[row+c] *= s
			}
		}
	}
}

// PReLUGrad is the gradient of PReLU, from the input x: dx, and what it adds to sum (C)
// for slope.
func PReLUGrad[T Float](sum []float64, dx, dy, x, slope []T) {
	for row := 0; row < len(x); row += len(slope) {
		for c, s := range slope {
			switch v, d := x[row+c], dy[row+c]; {
			case v > 0:
				dx[row+c] = d
			case v <= 0:
				dx[row+c] = d * s
				sum[c] += float64(d) * float64(v)
			default:
				dx[row+c] = v
				sum[c] += float64(v)
			}
		}
	}
}

// ChannelDot adds to sum (C) the rows of a*b, both (rows, C).
func ChannelDot[T Float](sum []float64, a, b []T) {
	for row := 0; row < len(a); row += len(sum) {
		for c := range sum {
			sum[c] += float64(a[row+c]) * float64(b[row+c])
		}
	}
}

// StridedMoments is ChannelMoments of rows that lie stride elements apart.
func StridedMoments[T Float](sum, squares []float64, x []T, rows, stride int) {
	for row := range rows {
		ChannelMoments(sum, squares, x[row*stride:][:len(sum)])
	}
}

// ChannelMoments adds to sum and squares (C) the rows of x (rows, C) and of x².
func ChannelMoments[T Float](sum, squares []float64, x []T) {
	for row := 0; row < len(x); row += len(sum) {
		for c := range sum {
			v := float64(x[row+c])
			sum[c] += v
			squares[c] += v * v
		}
	}
}
