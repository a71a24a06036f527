package winograd

// A quartered tile is two pixels that lie far apart, in the two halves of all images or,
// where all pixels that are read follow each other, of all pixels. So tiles are the pixels
// of the one half, and no map's width has to be even.

// Quarterable tells whether quartered tiles can compute s.
func (s Spec) Quarterable() bool {
	pixels := s.Images * s.OutH * s.OutW
	if s.strides() {
		pixels = s.Images
	}
	return pixels%2 == 0 && s.Channels%2 == 0 && s.Columns%2 == 0
}

func (s Spec) strides() bool { return s.Stride > 1 }

// quarters are the windows of quartered tiles on the source and on the result, and the
// number of tiles.
func (s Spec) quarters() (source, result window, tiles int) {
	if !s.strides() {
		half := s.Images * s.OutH * s.OutW / 2
		source = newWindow(1, 1, 0, 0, 1, half, s.Channels, 1, half)
		result = newWindow(1, 1, 0, 0, 1, half, s.Pixel, 1, half)
		source.cut(half, s.Channels/2)
		result.cut(half, s.Columns/2)
		return source, result, half
	}
	rows, cols, from, to := s.OutH, s.OutW, s.Stride, 1
	if s.Turned {
		rows, cols, from, to = s.InH, s.InW, 1, s.Stride
	}
	source = newWindow(1, from, 0, 0, s.InH, s.InW, s.Channels, rows, cols)
	result = newWindow(1, to, 0, 0, s.OutH, s.OutW, s.Pixel, rows, cols)
	source.cut(s.Images/2*s.InH*s.InW, s.Channels/2)
	result.cut(s.Images/2*s.OutH*s.OutW, s.Columns/2)
	return source, result, s.Images / 2 * rows * cols
}

// cut makes pixels pairs, the second so many pixels after the first, each in halves of so
// many channels.
func (v *window) cut(pixels, half int) {
	second := pixels * v.pixel
	v.parts, v.planes = []int{0, half, second, second + half}, []int{0, second}
}

// filter is where weights lie: the first of each part, and floats from one channel, and
// from one column, to the next. One of these is 1.
type filter struct {
	parts           []int
	channel, column int
}

// filter is that of 3 by 3 pixels, or of the quarters of one pixel.
func (s Spec) filter(t *Tile) filter {
	f := filter{channel: s.Columns, column: 1}
	if s.Turned {
		f = filter{channel: 1, column: s.Channels}
	}
	if t.form == quartering {
		c, k := s.Channels/2*f.channel, s.Columns/2*f.column
		f.parts = []int{0, k, c, c + k}
		return f
	}
	for tap := range 9 {
		if s.Turned {
			tap = 8 - tap
		}
		f.parts = append(f.parts, tap*s.Channels*s.Columns)
	}
	return f
}
