package jpeg

import "github.com/seed52467199/trainer/data/imaging/pixel"

// Gray tells whether Row gives gray values rather than RGB.
func (d *Decoder) Gray() bool { return d.Components == 1 || d.gray }

// Row writes row y of the decoded part, which is the whole picture after Decode:
// its gray values, or its RGB triples. Four components are taken as Adobe stores
// them, inverted, and turned to RGB as Pillow's convert("RGB") does.
func (d *Decoder) Row(dst []uint8, y int) {
	y += d.part.Y
	width := d.part.Width
	if d.Gray() {
		copy(dst[:width], d.upsample(0, y))
		return
	}
	var rows [4][]uint8
	for i := range d.Components {
		rows[i] = d.upsample(i, y)[:width]
	}
	switch {
	case d.Components == 3 && d.isRGB():
		for x := range width {
			dst[3*x], dst[3*x+1], dst[3*x+2] = rows[0][x], rows[1][x], rows[2][x]
		}
	case d.Components == 3:
		pixel.YCCToRGB(dst, rows[0], rows[1], rows[2])
	default:
		if d.seen.adobe && d.adobeTransform != 0 {
			// YCCK holds the complement of CMY; so does what follows.
			pixel.YCCToRGB(dst, rows[0], rows[1], rows[2])
			for x := range width {
				blacken(dst[3*x:3*x+3], 255-rows[3][x], 255-dst[3*x], 255-dst[3*x+1], 255-dst[3*x+2])
			}
			return
		}
		for x := range width {
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

// upsample returns what the part needs of row y of component i, at the picture's
// width. The filters are those of libjpeg's jdsample.c ("fancy upsampling", a
// triangle): a sample between two of the component's weighs the nearer by 3/4.
// Ratios other than 2 are repeated, and so is everything at an eighth.
func (d *Decoder) upsample(i, y int) []uint8 {
	c := &d.components[i]
	h, v := d.expandH(c), d.expandV(c)
	near := y / v
	row := c.samples[near*c.stride:][:c.stride]
	if h == 1 && v == 1 {
		return row[d.part.X:]
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
	// The samples from..to-1 have the part's pixels and their neighbours.
	from, to := max(d.part.X/h-1, 0), min((d.part.X+d.part.Width-1)/h+2, c.width)
	row, other = row[from:to], other[from:to]
	switch fancy := d.part.Shrink < 8; {
	case fancy && h == 2 && v == 1 && c.width > 2:
		pixel.UpsampleAcross(out, row)
	case fancy && h == 2 && v == 2 && c.width > 2:
		pixel.UpsampleBoth(out, row, other)
	case fancy && h == 1 && v == 2:
		round := 1 + y%2
		for x := range row {
			out[x] = uint8((3*int(row[x]) + int(other[x]) + round) >> 2)
		}
	default:
		for x, s := range row {
			for k := range h {
				out[x*h+k] = s
			}
		}
	}
	return out[d.part.X-from*h:]
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
