package jpeg

// Gray tells whether Row gives gray values rather than RGB.
func (d *Decoder) Gray() bool { return d.Components == 1 }

// Row writes row y of the decoded picture: Width gray values, or Width RGB
// triples. Four components are taken as Adobe stores them, inverted, and turned
// to RGB as Pillow's convert("RGB") does.
func (d *Decoder) Row(dst []uint8, y int) {
	if d.Components == 1 {
		c := &d.components[0]
		copy(dst[:d.Width], c.samples[y*c.stride:])
		return
	}
	var rows [4][]uint8
	for i := range d.Components {
		rows[i] = d.upsample(i, y)[:d.Width]
	}
	switch {
	case d.Components == 3 && d.isRGB():
		for x := range d.Width {
			dst[3*x], dst[3*x+1], dst[3*x+2] = rows[0][x], rows[1][x], rows[2][x]
		}
	case d.Components == 3:
		yccToRGB(dst, rows[0], rows[1], rows[2])
	default:
		if d.seen.adobe && d.adobeTransform != 0 {
			// YCCK holds the complement of CMY; so does what follows.
			yccToRGB(dst, rows[0], rows[1], rows[2])
			for x := range d.Width {
				blacken(dst[3*x:3*x+3], 255-rows[3][x], 255-dst[3*x], 255-dst[3*x+1], 255-dst[3*x+2])
			}
			return
		}
		for x := range d.Width {
			blacken(dst[3*x:3*x+3], 255-rows[3][x], rows[0][x], rows[1][x], rows[2][x])
		}
	}
}

// isRGB follows libjpeg's guess at what three components are.
func (d *Decoder) isRGB() bool {
	if d.seen.jfif {
		return false
	}
	if d.seen.adobe {
		return d.adobeTransform == 0
	}
	c := &d.components
	return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
}

// upsample returns row y of component i at full width. The filters are those of
// libjpeg's jdsample.c ("fancy upsampling", a triangle): a sample between two of
// the component's weighs the nearer by 3/4. Ratios other than 2 are repeated.
func (d *Decoder) upsample(i, y int) []uint8 {
	c := &d.components[i]
	h, v := d.maxH/int(c.h), d.maxV/int(c.v)
	near := y / v
	row := c.samples[near*c.stride:][:c.stride]
	if h == 1 && v == 1 {
		return row
	}
	// The row on the other side, which the nearest shares y with; the first and
	// the last stand in for those beyond.
	far := near - 1
	if v == 2 && y%2 == 1 {
		far = near + 1
	}
	far = min(max(far, 0), c.height-1)
	other := c.samples[far*c.stride:][:c.stride]
	out := d.rows[i]
	switch n := c.width; {
	case h == 2 && v == 1 && n > 2:
		fancyAcross(out, row[:n])
	case h == 2 && v == 2 && n > 2:
		fancyBoth(out, row[:n], other[:n])
	case h == 1 && v == 2:
		round := 1 + y%2
		for x := range n {
			out[x] = uint8((3*int(row[x]) + int(other[x]) + round) >> 2)
		}
	default:
		for x, s := range row[:n] {
			for k := range h {
				out[x*h+k] = s
			}
		}
	}
	return out
}

// fancyAcross doubles a row.
func fancyAcross(out, in []uint8) {
	last := len(in) - 1
	out = out[:2*len(in)]
	out[0] = in[0]
	out[1] = uint8((3*int(in[0]) + int(in[1]) + 2) >> 2)
	for x := 1; x < last; x++ {
		s := 3 * int(in[x])
		out[2*x] = uint8((s + int(in[x-1]) + 1) >> 2)
		out[2*x+1] = uint8((s + int(in[x+1]) + 2) >> 2)
	}
	out[2*last] = uint8((3*int(in[last]) + int(in[last-1]) + 1) >> 2)
	out[2*last+1] = in[last]
}

// fancyBoth doubles the row near, blended with the row far.
func fancyBoth(out, near, far []uint8) {
	far = far[:len(near)]
	out = out[:2*len(near)]
	this := 3*int(near[0]) + int(far[0])
	before := this
	at := 0
	for x := 1; x < len(near); x++ {
		next := 3*int(near[x]) + int(far[x])
		pair := out[at : at+2 : at+2]
		pair[0] = uint8((3*this + before + 8) >> 4)
		pair[1] = uint8((3*this + next + 7) >> 4)
		before, this = this, next
		at += 2
	}
	out[at] = uint8((3*this + before + 8) >> 4)
	out[at+1] = uint8((4*this + 7) >> 4)
}

// The conversion's factors with 16 fraction bits (jdcolor.c), tabulated by Cb or Cr.
var redOfCr, blueOfCb, greenOfCr, greenOfCb = func() (r, b, gr, gb [256]int32) {
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (91881*x + 1<<15) >> 16  // 1.40200
		b[i] = (116130*x + 1<<15) >> 16 // 1.77200
		gr[i] = -46802 * x              // 0.71414
		gb[i] = -22554*x + 1<<15        // 0.34414, and the rounding
	}
	return
}()

// yccToRGB converts a row.
func yccToRGB(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		u, v := cb[x], cr[x]
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0] = clamp(int32(l) + redOfCr[v])
		p[1] = clamp(int32(l) + (greenOfCb[u]+greenOfCr[v])>>16)
		p[2] = clamp(int32(l) + blueOfCb[u])
	}
}

func clamp(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// blacken writes the RGB colour of the inks' complements c, m and y under black
// ink k (cmyk2rgb in Pillow's Convert.c; MULDIV255 is the rounded product).
func blacken(dst []uint8, k, c, m, y uint8) {
	white := 255 - int32(k)
	for i, s := range [3]uint8{c, m, y} {
		t := (255-int32(s))*white + 128
		dst[i] = clamp(white - (t>>8+t)>>8)
	}
}
