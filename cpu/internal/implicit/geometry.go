package implicit

// Geometry is a lattice of output positions over source images of NHWC
// layout. Position (i, j) reads, for every pair of taps (a, b), the source
// pixel at row i·StepH + TapsH[a] and column j·StepW + TapsW[b]; pixels
// outside the source count as zero.
type Geometry struct {
	Images     int
	InH, InW   int
	InPixel    int // floats from one source pixel to the next
	Groups     int // blocks of source channels that do not meet
	Channels   int // source channels in a group
	Repeat     int // times that each source channel is read in turn, 1 but for depthwise
	OutH, OutW int
	StepH      int
	StepW      int
	TapsH      []int // ascending
	TapsW      []int // ascending
}

// depth is the number of channels that a group reads of a source pixel.
func (g *Geometry) depth() int { return g.Channels * g.Repeat }

// spanH is the number of source rows that a position's taps lie in; spanW
// that of columns.
func (g *Geometry) spanH() int { return g.TapsH[len(g.TapsH)-1] - g.TapsH[0] + 1 }
func (g *Geometry) spanW() int { return g.TapsW[len(g.TapsW)-1] - g.TapsW[0] + 1 }

// inside tells whether no tap of any position leaves the source.
func (g *Geometry) inside() bool {
	return g.TapsH[0] >= 0 && g.TapsW[0] >= 0 &&
		(g.OutH-1)*g.StepH+g.TapsH[len(g.TapsH)-1] < g.InH &&
		(g.OutW-1)*g.StepW+g.TapsW[len(g.TapsW)-1] < g.InW
}

// adjacent tells whether a position's columns are neighbours, so that all of
// them together are one contiguous piece of a source row.
func (g *Geometry) adjacent() bool { return g.spanW() == len(g.TapsW) }

// band is a part of the lattice: some rows of one image, or whole images.
type band struct {
	image, images int
	row, rows     int
}

// bands cuts a lattice into equal bands but for the last ones.
type bands struct {
	images, rows     int // of a full band; rows is OutH where images > 1
	perImage, number int
}

func (g *Geometry) bandsOf(images, rows int) bands {
	b := bands{images: images, rows: rows, perImage: ceil(g.OutH, rows)}
	b.number = ceil(g.Images, images) * b.perImage
	return b
}

func (g *Geometry) band(b *bands, i int) band {
	image, row := i/b.perImage*b.images, i%b.perImage*b.rows
	return band{image, min(b.images, g.Images-image), row, min(b.rows, g.OutH-row)}
}

// shapes calls f with every size of band worth considering: any number of
// rows, then whole images up to limit positions.
func (g *Geometry) shapes(limit int, f func(images, rows int)) {
	for rows := 1; rows <= g.OutH; rows++ {
		if n := ceil(g.OutH, rows); rows > 1 && ceil(g.OutH, rows-1) == n {
			continue // the same number of bands, less evenly cut
		}
		f(1, rows)
		if rows*g.OutW > limit {
			return
		}
	}
	for images := 2; images <= g.Images && images*g.OutH*g.OutW <= limit; images++ {
		f(images, g.OutH)
	}
}

// view tells where a band's source pixels lie: floats from pixel to pixel,
// row to row and image to image.
type view struct {
	pixel, row, image int
	stepH, stepW      int // its rows and columns from position to position
	cols              int // pixels in a row that are gathered; 0 where the source is read in place
}

// inPlace is the view of the source itself.
func (g *Geometry) inPlace() view {
	row := g.InW * g.InPixel
	return view{pixel: g.InPixel, row: row, image: g.InH * row, stepH: g.StepH, stepW: g.StepW}
}

// gathered is the view of a band that has been copied with its border. Along an axis
// with one tap, the pixels that no position reads are left out.
func (g *Geometry) gathered(pixel, rows int) view {
	v := view{pixel: pixel, stepH: g.StepH, stepW: g.StepW}
	if len(g.TapsH) == 1 {
		v.stepH = 1
	}
	if len(g.TapsW) == 1 {
		v.stepW = 1
	}
	v.cols = (g.OutW-1)*v.stepW + g.spanW()
	v.row = v.cols * pixel
	v.image = v.row * g.bandRows(rows)
	return v
}

// bandRows is the number of source rows that rows of the lattice read.
func (g *Geometry) bandRows(rows int) int {
	if len(g.TapsH) == 1 {
		return rows
	}
	return (rows-1)*g.StepH + g.spanH()
}

// positions appends the offset of every position of a band of whole rows, in
// order.
func (g *Geometry) positions(dst []int, images, rows int, image, row, pixel int) []int {
	for n := range images {
		for i := range rows {
			for j := range g.OutW {
				dst = append(dst, n*image+i*row+j*pixel)
			}
		}
	}
	return dst
}

// tap is the offset of tap (a, b) from a position. In a gathered view the
// first taps are at offset zero.
func (g *Geometry) tap(v *view, a, b int) int {
	h, w := g.TapsH[a], g.TapsW[b]
	if v.cols > 0 {
		h, w = h-g.TapsH[0], w-g.TapsW[0]
	}
	return h*v.row + w*v.pixel
}

// start is the offset in x of a band's first position, for a view in place.
func (g *Geometry) start(v *view, b band, group int) int {
	return b.image*v.image + b.row*g.StepH*v.row + group*g.Channels
}

// gather copies the source pixels that a band reads, zeros outside, into dst
// as v describes it.
func (g *Geometry) gather(dst []float32, v *view, x []float32, b band, group int) {
	left, stepW := g.TapsW[0], g.StepW/v.stepW
	from, to := ceil(max(0, -left), stepW), min(v.cols, ceil(max(0, g.InW-left), stepW))
	for n := range b.images {
		for r := range g.bandRows(b.rows) {
			d := dst[n*v.image+r*v.row:][:v.row]
			h := b.row*g.StepH + g.TapsH[0] + r*(g.StepH/v.stepH)
			if h < 0 || h >= g.InH || from >= to {
				clear(d)
				continue
			}
			s := x[((b.image+n)*g.InH+h)*g.InW*g.InPixel:]
			clear(d[:from*v.pixel])
			clear(d[to*v.pixel:])
			g.copyPixels(d[from*v.pixel:], v.pixel, s[(left+from*stepW)*g.InPixel+group*g.Channels:], stepW*g.InPixel, to-from)
		}
	}
}

// copyPixels copies n source pixels, step floats apart, to places pixel floats apart.
func (g *Geometry) copyPixels(dst []float32, pixel int, src []float32, step, n int) {
	switch {
	case g.Repeat > 1:
		for p := range n {
			d := dst[p*pixel:][:g.depth()]
			for c, x := range src[p*step:][:g.Channels] {
				for r := range g.Repeat {
					d[c*g.Repeat+r] = x
				}
			}
		}
	case pixel == step && pixel == g.Channels:
		copy(dst, src[:n*pixel])
	default:
		for p := range n {
			copy(dst[p*pixel:][:g.Channels], src[p*step:])
		}
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// round is a rounded up to a multiple of b.
func round(a, b int) int { return ceil(a, b) * b }
