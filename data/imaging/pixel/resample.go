package pixel

import "github.com/seed52467199/trainer/cpu/isa"

// Precision is the number of fraction bits of a coefficient: 32 bits less 8 of
// the pixel and 2 of headroom for kernels that overshoot.
const Precision = 32 - 8 - 2

// half is the rounding of a sum.
const half = 1 << (Precision - 1)

// clip rounds a fixed-point sum down to a byte, saturating.
func clip(sum int32) uint8 { return clamp(sum >> Precision) }

// Weights are the coefficients of one pass of resampling: output i is the sum
// over k of Taps[i*Size+k] * input[First[i]+k], for k < Count[i], rounded from
// Precision fraction bits. No Count is 0.
type Weights struct {
	Size         int
	First, Count []int
	Taps         []int32
}

// Reach is the span of inputs that the outputs need.
func (w *Weights) Reach() (first, last int) {
	n := len(w.First) - 1
	if n < 0 {
		return 0, 0
	}
	// The order is reversed where the output is mirrored.
	return min(w.First[0], w.First[n]), max(w.First[0]+w.Count[0], w.First[n]+w.Count[n])
}

// Strip is the number of rows that ResampleRows works on at once.
const Strip = 16

// Rows applies w along height rows of src, whose pixels have 1 or 3 channels:
// dst[y*dstStride+i*channels+c]. Of src's rows it reads what w reaches and no
// more. scratch is memory to reuse.
func Rows(dst []uint8, dstStride int, src []uint8, srcStride, height, channels int, w *Weights, scratch *[]uint8) {
	n := len(w.First)
	first, last := w.Reach()
	if height <= 0 || n == 0 {
		return
	}
	from, in, out := first*channels, (last-first)*channels, n*channels
	_, _ = src[(height-1)*srcStride+from+in-1], dst[(height-1)*dstStride+out-1]
	if active < isa.AVX2 || height < Strip || in < Strip || out < Strip {
		rowsPortable(dst, dstStride, src, srcStride, height, channels, w)
		return
	}
	// Sixteen rows are turned on their side, so that a register holds as many
	// rows of one column; turned back, they are the result's rows.
	need := (last*channels + out) * Strip
	if cap(*scratch) < need {
		*scratch = make([]uint8, need)
	}
	columns, results := (*scratch)[:last*channels*Strip:last*channels*Strip], (*scratch)[last*channels*Strip:need:need]
	for y := 0; y < height; y += Strip {
		y := min(y, height-Strip) // the last strip may do some rows again
		for half := 0; half < Strip; half += 8 {
			rows := src[(y+half)*srcStride+from:]
			transposeAVX2(&columns[from*Strip+half], Strip, Strip*Strip, &rows[0], srcStride, 16, in/16)
			if in%16 != 0 {
				transposeAVX2(&columns[(from+in-16)*Strip+half], Strip, 0, &rows[in-16], srcStride, 0, 1)
			}
		}
		resampleRows(results, columns, w, channels)
		rows := dst[y*dstStride:]
		transposeAVX2(&rows[0], dstStride, 8, &results[0], Strip, 8*Strip, out/8)
		if out%8 != 0 {
			transposeAVX2(&rows[out-8], dstStride, 0, &results[(out-8)*Strip], Strip, 0, 1)
		}
	}
}

// resampleRows applies w to the columns of a strip.
func resampleRows(dst, src []uint8, w *Weights, channels int) {
	kernel := resampleGrayAVX2
	switch {
	case channels == 3 && active == isa.AVX512:
		kernel = resampleRGBAVX512
	case channels == 3:
		kernel = resampleRGBAVX2
	case active == isa.AVX512:
		kernel = resampleGrayAVX512
	}
	kernel(&dst[0], &src[0], &w.First[0], &w.Count[0], &w.Taps[0], w.Size, len(w.First))
}

// rowsPortable sums up in 64-bit registers that hold two 32-bit lanes, one of
// each of two rows, which halves the multiplications. A lane's sum always fits;
// what a negative low lane borrows from the high one, split gives back.
func rowsPortable(dst []uint8, dstStride int, src []uint8, srcStride, height, channels int, w *Weights) {
	for y := 0; y < height; y += 2 {
		next := min(y+1, height-1) // a last odd row goes with itself
		low, high := src[y*srcStride:], src[next*srcStride:]
		lowOut, highOut := dst[y*dstStride:], dst[next*dstStride:]
		for i, first := range w.First {
			taps := w.Taps[i*w.Size:][:w.Count[i]]
			if channels == 3 {
				rgbPortable(lowOut[3*i:], highOut[3*i:], low[3*first:], high[3*first:], taps)
				continue
			}
			sums := uint64(bothHalves)
			in, under := low[first:][:len(taps)], high[first:][:len(taps)]
			for k, t := range taps {
				sums += (uint64(in[k]) | uint64(under[k])<<32) * widen(t)
			}
			lowOut[i], highOut[i] = split(sums)
		}
	}
}

// rgbPortable makes one pixel of two rows.
func rgbPortable(lowOut, highOut, low, high []uint8, taps []int32) {
	low, high = low[:3*len(taps)], high[:3*len(taps)]
	r, g, b := uint64(bothHalves), uint64(bothHalves), uint64(bothHalves)
	for _, tap := range taps {
		t := widen(tap)
		p, q := (*[3]uint8)(low), (*[3]uint8)(high)
		r += (uint64(p[0]) | uint64(q[0])<<32) * t
		g += (uint64(p[1]) | uint64(q[1])<<32) * t
		b += (uint64(p[2]) | uint64(q[2])<<32) * t
		low, high = low[3:], high[3:]
	}
	lowOut[0], highOut[0] = split(r)
	lowOut[1], highOut[1] = split(g)
	lowOut[2], highOut[2] = split(b)
}

// bothHalves is the rounding in both lanes.
const bothHalves = half<<32 | half

// widen makes a coefficient ready to multiply both lanes.
func widen(tap int32) uint64 { return uint64(int64(tap)) }

// split rounds the two lanes.
func split(sums uint64) (low, high uint8) {
	l := int32(sums)
	return clip(l), clip(int32((sums - uint64(int64(l))) >> 32))
}

// ResampleBytes writes the sum of len(taps) rows of src, each weighted by its
// tap: dst[x] from src[x], src[stride+x] and so on.
func ResampleBytes(dst, src []uint8, stride int, taps []int32) {
	_ = src[(len(taps)-1)*stride+len(dst)-1]
	switch {
	case active == isa.AVX512 && len(dst) >= 64:
		resampleBytesAVX512(&dst[0], &src[0], stride, &taps[0], len(taps), len(dst))
	case active >= isa.AVX2 && len(dst) >= 32:
		resampleBytesAVX2(&dst[0], &src[0], stride, &taps[0], len(taps), len(dst))
	default:
		bytesPortable(dst, src, stride, taps)
	}
}

func bytesPortable(dst, src []uint8, stride int, taps []int32) {
	for x := range dst {
		sum, at := int32(half), x
		for _, t := range taps {
			sum += t * int32(src[at])
			at += stride
		}
		dst[x] = clip(sum)
	}
}

// Norm normalises bytes: (v/255 - mean)/std of each of three channels in turn,
// computed in float32 in this order, as torchvision does. A gray picture has the
// same values three times.
type Norm struct {
	table [3][256]float32
	// vectors are mean, std and 1/std with period 3, for the kernels, which
	// divide by multiplying and correcting; exact tells that this gives the table.
	vectors [3 * period]float32
	exact   bool
}

// period is the length of one of Norm's vectors: a multiple of 3 and of every
// register.
const period = 48

// Set fixes the values.
func (m *Norm) Set(mean, std [3]float32) {
	for c := range 3 {
		for v := range 256 {
			m.table[c][v] = (float32(v)/255 - mean[c]) / std[c]
		}
	}
	for i := range period {
		m.vectors[i], m.vectors[period+i], m.vectors[2*period+i] = mean[i%3], std[i%3], 1/std[i%3]
	}
	var in [3 * 256]uint8
	var out [3 * 256]float32
	for i := range in {
		in[i] = uint8(i / 3)
	}
	m.exact = true
	Normalize(out[:], in[:], m)
	for i, v := range out {
		m.exact = m.exact && v == m.table[i%3][in[i]]
	}
}

// Value is what v becomes in channel c.
func (m *Norm) Value(c int, v uint8) float32 { return m.table[c][v] }

// Normalize writes the normalised values of src, which begins with channel 0.
func Normalize(dst []float32, src []uint8, m *Norm) {
	dst = dst[:len(src)]
	switch {
	case m.exact && active == isa.AVX512 && len(src) >= 48:
		normalizeAVX512(&dst[0], &src[0], len(src), &m.vectors[0])
	case m.exact && active >= isa.AVX2 && len(src) >= 24:
		normalizeAVX2(&dst[0], &src[0], len(src), &m.vectors[0])
	default:
		normalizePortable(dst, src, m)
	}
}

func normalizePortable(dst []float32, src []uint8, m *Norm) {
	i := 0
	for ; i+3 <= len(src); i += 3 {
		in, out := src[i:i+3:i+3], dst[i:i+3:i+3]
		out[0], out[1], out[2] = m.table[0][in[0]], m.table[1][in[1]], m.table[2][in[2]]
	}
	for c, v := range src[i:] {
		dst[i+c] = m.table[c][v]
	}
}

// ResampleFloats is ResampleBytes followed by Normalize.
func ResampleFloats(dst []float32, src []uint8, stride int, taps []int32, m *Norm) {
	_ = src[(len(taps)-1)*stride+len(dst)-1]
	switch {
	case m.exact && active == isa.AVX512 && len(dst) >= 48:
		resampleFloatsAVX512(&dst[0], &src[0], stride, &taps[0], len(taps), len(dst), &m.vectors[0])
	case m.exact && active >= isa.AVX2 && len(dst) >= 24:
		resampleFloatsAVX2(&dst[0], &src[0], stride, &taps[0], len(taps), len(dst), &m.vectors[0])
	default:
		floatsPortable(dst, src, stride, taps, m)
	}
}

func floatsPortable(dst []float32, src []uint8, stride int, taps []int32, m *Norm) {
	c := 0
	for x := range dst {
		sum, at := int32(half), x
		for _, t := range taps {
			sum += t * int32(src[at])
			at += stride
		}
		dst[x] = m.table[c][clip(sum)]
		if c++; c == 3 {
			c = 0
		}
	}
}
