package adjust

import (
	"math"

	"github.com/seed52467199/trainer/data/imaging"
)

// Hue writes src to dst, which may be src, with its hues turned by turn of a full
// circle (-0.5..0.5): torchvision's adjust_hue by way of Pillow's HSV in 8 bits. It
// rounds a little even where turn is 0. Gray has no hue and stays as it is.
func Hue(dst, src *imaging.Image, turn float64) {
	if src.Channels == 1 {
		if dst != src {
			dst.CopyFrom(src)
		}
		return
	}
	if dst != src {
		dst.Reset(src.Width, src.Height, src.Channels)
	}
	shift := uint8(int32(turn * 255))
	for y := range src.Height {
		in := src.Row(y)
		out := dst.Row(y)[:len(in)]
		for len(in) >= 3 && len(out) >= 3 {
			h, s, v := hsv(in[0], in[1], in[2])
			out[0], out[1], out[2] = rgb(h+shift, s, v)
			in, out = in[3:], out[3:]
		}
	}
}

// hsv is Pillow's conversion, after Python's colorsys, in float32 and float64
// where Pillow computes in them.
func hsv(r, g, b uint8) (h, s, v uint8) {
	high, low := max(r, g, b), min(r, g, b)
	if high == low {
		return 0, 0, high
	}
	span := float32(high - low)
	rc, gc, bc := float32(high-r)/span, float32(high-g)/span, float32(high-b)/span
	var hue float32
	switch high {
	case r:
		hue = bc - gc
	case g:
		hue = float32(2.0 + float64(rc) - float64(bc))
	default:
		hue = float32(4.0 + float64(gc) - float64(rc))
	}
	turns := float64(hue)/6 + 1
	hue = float32(turns - math.Trunc(turns))
	saturation := span / float32(high)
	return uint8(float64(hue) * 255), uint8(float64(saturation) * 255), high
}

// sextants has the part of the circle of a hue in 8 bits and how far in it that is,
// and portions a saturation in 0..1.
var (
	sextants = func() (t [256]struct {
		number int
		past   float32
	}) {
		for h := range t {
			x := float64(h) * 6 / 255
			t[h].number = int(x) % 6
			t[h].past = float32(x - math.Floor(x))
		}
		return t
	}()
	portions = func() (t [256]float32) {
		for s := range t {
			t[s] = float32(float64(s) / 255)
		}
		return t
	}()
)

// rgb is the way back.
func rgb(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	f, saturation, value := sextants[h].past, portions[s], float64(v)
	p := rounded(value * (1 - float64(saturation)))
	q := rounded(value * (1 - float64(saturation*f)))
	t := rounded(value * (1 - float64(float64(saturation)*(1-float64(f)))))
	switch sextants[h].number {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}

// rounded is x, from 0 to 255, rounded. None that hues make lies so close below a
// half that adding one would reach it.
func rounded(x float64) uint8 { return uint8(int32(x + 0.5)) }
