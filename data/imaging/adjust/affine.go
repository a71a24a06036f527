package adjust

import (
	"math"
	"strconv"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/pixel"
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

// interpolate fills the result with what the filter makes of the pixels around each
// place.
func interpolate(dst, src *imaging.Image, m *Matrix, filter imaging.Filter, fill [3]uint8) {
	c := src.Channels
	width, height := float64(src.Width), float64(src.Height)
	var t pixel.Taps
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
			column, t.DX = split(px - 0.5)
			row, t.DY = split(py - 0.5)
			if uint(column-1) < uint(max(src.Width-3, 0)) && uint(row-1) < uint(max(src.Height-3, 0)) {
				at := (row-1)*src.Stride + (column-1)*c
				t.Rows = [4]int{at, at + src.Stride, at + 2*src.Stride, at + 3*src.Stride}
				t.Columns = [4]int{0, c, 2 * c, 3 * c}
			} else {
				for k := range 4 {
					t.Columns[k] = min(max(column-1+k, 0), src.Width-1) * c
					t.Rows[k] = min(max(row-1+k, 0), src.Height-1) * src.Stride
				}
			}
			if filter == imaging.Bilinear {
				pixel.Bilinear(out[x*c:(x+1)*c], src.Pix, &t)
			} else {
				pixel.Bicubic(out[x*c:(x+1)*c], src.Pix, &t)
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
