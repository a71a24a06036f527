package portable

// MaxPool is y = the largest of each window, and index its place in offsets.
func MaxPool[T Float](y []T, index []uint8, x []T, offsets []int, channels, step int) {
	for pixel, at := 0, 0; at < len(y); pixel, at = pixel+1, at+channels {
		for c := range channels {
			from := pixel*step + c
			best, place := x[from+offsets[0]], 0
			for t, o := range offsets[1:] {
				if v := x[from+o]; v > best || v != v {
					best, place = v, t+1
				}
			}
			y[at+c], index[at+c] = best, uint8(place)
		}
	}
}

// MaxPoolGrad adds dy to the place of each window's largest in dx.
func MaxPoolGrad[T Float](dx, dy []T, index []uint8, offsets []int, channels, step int) {
	for pixel, at := 0, 0; at < len(dy); pixel, at = pixel+1, at+channels {
		for c := range channels {
			dx[pixel*step+c+offsets[index[at+c]]] += dy[at+c]
		}
	}
}

// MaxPoolGradApart is dx = dy at the place of each window's largest, 0 elsewhere in it.
func MaxPoolGradApart[T Float](dx, dy []T, index []uint8, offsets []int, channels, step int) {
	for pixel, at := 0, 0; at < len(dy); pixel, at = pixel+1, at+channels {
		for t, o := range offsets {
			for c := range channels {
				dx[pixel*step+c+o] = where(int(index[at+c]) == t, dy[at+c])
			}
		}
	}
}

// AvgPool is y = the sum of each window times scale.
func AvgPool[T Float](y, x []T, offsets []int, channels, step int, scale T) {
	for pixel, at := 0, 0; at < len(y); pixel, at = pixel+1, at+channels {
		for c := range channels {
			var sum T
			for _, o := range offsets {
				sum += x[pixel*step+c+o]
			}
			y[at+c] = sum * scale
		}
	}
}

// AvgPoolGrad adds dy times scale to each place of each window in dx.
func AvgPoolGrad[T Float](dx, dy []T, offsets []int, channels, step int, scale T) {
	for pixel, at := 0, 0; at < len(dy); pixel, at = pixel+1, at+channels {
		for _, o := range offsets {
			for c := range channels {
				dx[pixel*step+c+o] += dy[at+c] * scale
			}
		}
	}
}
