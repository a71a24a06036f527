package adjust

import (
	"math"
	"strconv"

	"github.com/seed52467199/trainer/data/imaging"
)

// Matrix takes a place in the result to its place in the source: x*m[0] + y*m[1] +
// m[2] and x*m[3] + y*m[4] + m[5]. Places are in pixels; that of a pixel is its
// centre, half a pixel from its corner.
type Matrix [6]float64

// Shear slants along x, y or both: by that many pixels a pixel.
func Shear(x, y float64) Matrix { return Matrix{1, x, 0, y, 1, 0} }

// Translation moves the picture by (-x, -y) pixels.
func Translation(x, y float64) Matrix { return Matrix{1, 0, x, 0, 1, y} }

// Rotation turns a picture of width x height pixels about its middle,
// counter-clockwise: Image.rotate.
func Rotation(width, height int, degrees float64) Matrix {
	if degrees = math.Mod(degrees, 360); degrees < 0 {
		degrees += 360
	}
	angle := -degrees * (math.Pi / 180)
	cos, sin := fifteen(math.Cos(angle)), fifteen(math.Sin(angle))
	m := Matrix{cos, sin, 0, fifteen(-math.Sin(angle)), cos, 0}
	x, y := float64(width)/2, float64(height)/2
	m[2] = float64(m[0]*-x) + float64(m[1]*-y) + x
	m[5] = float64(m[3]*-x) + float64(m[4]*-y) + y
	return m
}

// fifteen rounds to as many decimals, as Python's round does.
func fifteen(x float64) float64 {
	var text [24]byte
	x, err := strconv.ParseFloat(string(strconv.AppendFloat(text[:0], x, 'f', 15, 64)), 64)
	if err != nil { // it is a number
		panic(err)
	}
	return x
}

// Affine writes Image.transform of src by m to dst, which is not src and becomes
// as large. The filter is nearest, bilinear or bicubic; the last is Keys' cubic
// with a = -1 here, not the -0.5 of resizing. Where a place is outside the source,
// the result is fill, by channel; beyond the outermost centres the source's edge
// is repeated. Sizes and places are below 32768.
func Affine(dst, src *imaging.Image, m Matrix, filter imaging.Filter, fill [3]uint8) {
	dst.Reset(src.Width, src.Height, src.Channels)
	switch filter {
	case imaging.Nearest:
		if m[1] == 0 && m[3] == 0 {
			scaleNearest(dst, src, &m, fill)
			return
		}
		nearest(dst, src, &m, fill)
	case imaging.Bilinear, imaging.Bicubic:
		interpolate(dst, src, &m, filter, fill)
	default:
		panic("adjust: an affine transform by the filter " + filter.String())
	}
}

// paint sets the pixel that begins at i.
func paint(row []uint8, i, channels int, fill *[3]uint8) {
	copy(row[i:i+channels], fill[:])
}

// scaleNearest is nearest where rows stay rows and columns stay columns. Pillow
// sums up the steps.
func scaleNearest(dst, src *imaging.Image, m *Matrix, fill [3]uint8) {
	c := src.Channels
	py := m[5] + float64(m[4]*0.5)
	for y := range dst.Height {
		out := dst.Row(y)
		px := m[2] + float64(m[0]*0.5)
		inside := py >= 0 && int(py) < src.Height
		for x := range dst.Width {
			if inside && px >= 0 && int(px) < src.Width {
				copy(out[x*c:(x+1)*c], src.Row(int(py))[int(px)*c:])
			} else {
				paint(out, x*c, c, &fill)
			}
			px += m[0]
		}
		py += m[4]
	}
}

// nearest steps in 16.16 fixed point.
func nearest(dst, src *imaging.Image, m *Matrix, fill [3]uint8) {
	fix := func(v float64) int { return int(math.Floor(float64(v*65536) + 0.5)) }
	c := src.Channels
	dx, dy := fix(m[0]), fix(m[3])
	startX := fix(m[2] + float64(m[0]*0.5) + float64(m[1]*0.5))
	startY := fix(m[5] + float64(m[3]*0.5) + float64(m[4]*0.5))
	downX, downY := fix(m[1]), fix(m[4])
	for y := range dst.Height {
		out := dst.Row(y)
		px, py := startX, startY
		for x := range dst.Width {
			if sx, sy := px>>16, py>>16; uint(sx) < uint(src.Width) && uint(sy) < uint(src.Height) {
				copy(out[x*c:(x+1)*c], src.Pix[sy*src.Stride+sx*c:])
			} else {
				paint(out, x*c, c, &fill)
			}
			px += dx
			py += dy
		}
		startX += downX
		startY += downY
	}
}

// taps are the places of the up to four columns and rows around a pixel, as
// offsets, repeated at the edges, and how far it is past the second.
type taps struct {
	columns, rows [4]int
	dx, dy        float64
}

// interpolate fills the result with what the filter makes of the pixels around each
// place.
func interpolate(dst, src *imaging.Image, m *Matrix, filter imaging.Filter, fill [3]uint8) {
	c := src.Channels
	width, height := float64(src.Width), float64(src.Height)
	var t taps
	for y := range dst.Height {
		out := dst.Row(y)
		v := float64(y) + 0.5
		downX, downY := float64(m[1]*v), float64(m[4]*v)
		for x := range dst.Width {
			u := float64(x) + 0.5
			px := float64(m[0]*u) + downX + m[2]
			py := float64(m[3]*u) + downY + m[5]
			if !(px >= 0 && px < width && py >= 0 && py < height) {
				paint(out, x*c, c, &fill)
				continue
			}
			var column, row int
			column, t.dx = split(px - 0.5)
			row, t.dy = split(py - 0.5)
			if uint(column-1) < uint(max(src.Width-3, 0)) && uint(row-1) < uint(max(src.Height-3, 0)) {
				at := (row-1)*src.Stride + (column-1)*c
				t.rows = [4]int{at, at + src.Stride, at + 2*src.Stride, at + 3*src.Stride}
				t.columns = [4]int{0, c, 2 * c, 3 * c}
			} else {
				for k := range 4 {
					t.columns[k] = min(max(column-1+k, 0), src.Width-1) * c
					t.rows[k] = min(max(row-1+k, 0), src.Height-1) * src.Stride
				}
			}
			if filter == imaging.Bilinear {
				bilinear(out[x*c:(x+1)*c], src.Pix, &t)
			} else {
				bicubic(out[x*c:(x+1)*c], src.Pix, &t)
			}
		}
	}
}

// split is x rounded down and the rest.
func split(x float64) (int, float64) {
	n := int(x)
	if float64(n) > x {
		n--
	}
	return n, x - float64(n)
}

// bilinear leaves out what has no weight, which a shear has everywhere.
func bilinear(out, in []uint8, t *taps) {
	x0, x1 := t.columns[1], t.columns[2]
	for c := range out {
		first := in[t.rows[1]+c:]
		v := lerp(first[x0], first[x1], t.dx)
		if t.dy != 0 {
			second := in[t.rows[2]+c:]
			v += float64((lerp(second[x0], second[x1], t.dx) - v) * t.dy)
		}
		out[c] = uint8(v)
	}
}

func lerp(a, b uint8, d float64) float64 {
	return float64(a) + float64(float64(int(b)-int(a))*d)
}

func bicubic(out, in []uint8, t *taps) {
	across := func(row int) float64 {
		p := in[row:]
		if t.dx == 0 {
			return float64(p[t.columns[1]])
		}
		return cubic(float64(p[t.columns[0]]), float64(p[t.columns[1]]), float64(p[t.columns[2]]), float64(p[t.columns[3]]), t.dx)
	}
	for c := range out {
		v := across(t.rows[1] + c)
		if t.dy != 0 {
			v = cubic(across(t.rows[0]+c), v, across(t.rows[2]+c), across(t.rows[3]+c), t.dy)
		}
		out[c] = uint8(min(max(int32(v), 0), 255))
	}
}

// cubic is the curve through b and c, d of the way from one to the other. Each
// product is rounded, so that every machine gets the same.
func cubic(a, b, c, d, at float64) float64 {
	p2 := c - a
	p3 := 2*(a-b) + c - d
	p4 := b - a - c + d
	return b + float64(at*(p2+float64(at*(p3+float64(at*p4)))))
}
