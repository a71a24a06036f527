package adjust

import (
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/pixel"
)

// Table maps the values of each channel; gray has the first alone.
type Table [3][256]uint8

// Apply writes src with every value mapped to dst, which may be src.
func (t *Table) Apply(dst, src *imaging.Image) {
	if dst != src {
		dst.Reset(src.Width, src.Height, src.Channels)
	}
	for y := range src.Height {
		in := src.Row(y)
		out := dst.Row(y)[:len(in)]
		if src.Channels == 1 {
			for i, v := range in {
				out[i] = t[0][v]
			}
			continue
		}
		for len(in) >= 3 && len(out) >= 3 {
			out[0], out[1], out[2] = t[0][in[0]], t[1][in[1]], t[2][in[2]]
			in, out = in[3:], out[3:]
		}
	}
}

// all makes the table that maps every channel by f.
func (t *Table) all(f func(v int) int) {
	for v := range t[0] {
		t[0][v] = uint8(f(v))
	}
	t[1], t[2] = t[0], t[0]
}

// Invert makes t that of ImageOps.invert.
func (t *Table) Invert() { t.all(func(v int) int { return 255 - v }) }

// Posterize makes t that of ImageOps.posterize, which keeps the highest bits; 0
// of them leave a black picture.
func (t *Table) Posterize(bits int) {
	t.all(func(v int) int { return v &^ (1<<(8-bits) - 1) })
}

// Solarize makes t that of ImageOps.solarize, which inverts the values from
// threshold on.
func (t *Table) Solarize(threshold float64) {
	t.all(func(v int) int {
		if float64(v) < threshold {
			return v
		}
		return 255 - v
	})
}

// SolarizeAdd makes t one that adds to the values below threshold, up to 255.
func (t *Table) SolarizeAdd(add, threshold int) {
	t.all(func(v int) int {
		if v < threshold {
			return min(v+add, 255)
		}
		return v
	})
}

// Brightness makes t that of ImageEnhance.Brightness: 0 is black, 1 changes
// nothing.
func (t *Table) Brightness(factor float64) {
	t.all(func(v int) int { return int(pixel.BlendByte(0, uint8(v), float32(factor))) })
}

// Contrast makes t that of ImageEnhance.Contrast for src: 0 is the picture's mean
// gray, 1 changes nothing.
func (t *Table) Contrast(src *imaging.Image, factor float64) {
	mean := uint8(luminance(src) + 0.5)
	t.all(func(v int) int { return int(pixel.BlendByte(mean, uint8(v), float32(factor))) })
}

// luminance is the mean of the picture in gray.
func luminance(im *imaging.Image) float64 {
	var sum uint64
	var gray [256]uint8
	for y := range im.Height {
		row := im.Row(y)
		if im.Channels == 1 {
			sum += total(row)
			continue
		}
		for len(row) > 0 {
			part := row[:min(len(row), 3*len(gray))]
			row = row[len(part):]
			pixel.Luma(gray[:len(part)/3], part)
			sum += total(gray[:len(part)/3])
		}
	}
	return float64(sum) / float64(im.Width*im.Height)
}

func total(values []uint8) (sum uint64) {
	for _, v := range values {
		sum += uint64(v)
	}
	return sum
}

// AutoContrast makes t that of ImageOps.autocontrast for src: each channel's
// values are stretched to reach from 0 to 255.
func (t *Table) AutoContrast(src *imaging.Image) {
	var counts [3][256]int
	count(&counts, src)
	for c := range src.Channels {
		low, high := 0, 255
		for low < 255 && counts[c][low] == 0 {
			low++
		}
		for high > 0 && counts[c][high] == 0 {
			high--
		}
		scale, offset := 1.0, 0.0
		if high > low {
			scale = 255 / float64(high-low)
			offset = float64(-low) * scale
		}
		for v := range t[c] {
			t[c][v] = uint8(min(max(int(float64(float64(v)*scale)+offset), 0), 255))
		}
	}
}

// Equalize makes t that of ImageOps.equalize for src: the values of each channel
// become equally frequent.
func (t *Table) Equalize(src *imaging.Image) {
	var counts [3][256]int
	count(&counts, src)
	for c := range src.Channels {
		last := 255
		for last > 0 && counts[c][last] == 0 {
			last--
		}
		step := (src.Width*src.Height - counts[c][last]) / 255
		if step == 0 { // one value alone, too
			for v := range t[c] {
				t[c][v] = uint8(v)
			}
			continue
		}
		n := step / 2
		for v := range t[c] {
			t[c][v] = uint8(min(n/step, 255))
			n += counts[c][v]
		}
	}
}

// count adds up the histogram of each channel.
func count(counts *[3][256]int, im *imaging.Image) {
	for y := range im.Height {
		row := im.Row(y)
		if im.Channels == 1 {
			for _, v := range row {
				counts[0][v]++
			}
			continue
		}
		for ; len(row) >= 3; row = row[3:] {
			counts[0][row[0]]++
			counts[1][row[1]]++
			counts[2][row[2]]++
		}
	}
}
