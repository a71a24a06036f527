package portable

// NormalizeBytes is y = x*scale + shift for pixels x (pixels, C) of bytes, with
// scale and shift (C).
func NormalizeBytes[T Float](y []T, x []uint8, scale, shift []T) {
	for pixel := 0; pixel < len(y); pixel += len(scale) {
		for c := range scale {
			y[pixel+c] = T(x[pixel+c])*scale[c] + shift[c]
		}
	}
}

// NormalizeBytesFlipped is NormalizeBytes with the pixels in reverse order.
func NormalizeBytesFlipped[T Float](y []T, x []uint8, scale, shift []T) {
	for pixel := 0; pixel < len(y); pixel += len(scale) {
		from := len(y) - len(scale) - pixel
		for c := range scale {
			y[pixel+c] = T(x[from+c])*scale[c] + shift[c]
		}
	}
}
