package depthwise

import "unsafe"

// lanes is the width of the portable kernels: as much as makes the way through
// the tables short beside the sums.
const lanes = 16

var goKernels = &Kernels{Widths: []Width{goWidth(lanes), goWidth(1)}}

func goWidth(channels int) Width {
	w := Width{Channels: channels, Run: runGo(channels)}
	for i := range w.Grads {
		w.Grads[i] = gradsGo(channels, i+1)
	}
	return w
}

// floats is the n floats that begin offset floats after p.
func floats(p *float32, offset, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), 4*offset)), n)
}

func runGo(width int) RunFunc {
	return func(x *float32, xstep int, w *float32, taps *int, ntaps int, start, y *float32, ystep, n, panels int, floor, ceiling float32, _ *float32, _ int, _ *float32) {
		table := unsafe.Slice(taps, 2*ntaps)
		var memory [lanes]float32
		sums := memory[:width]
		for c := 0; c < panels*width; c += width {
			for i := range n {
				out := floats(y, i*ystep+c, width)
				if start != nil {
					copy(sums, floats(start, c, width))
				} else {
					copy(sums, out)
				}
				for t := 0; t < len(table); t += 2 {
					weights := floats(w, table[t+1]+c, width)
					for k, v := range floats(x, table[t]+i*xstep+c, width) {
						sums[k] += v * weights[k]
					}
				}
				// The comparisons keep what is not a number.
				for k, v := range sums {
					if v < floor {
						v = floor
					}
					if v > ceiling {
						v = ceiling
					}
					out[k] = v
				}
			}
		}
	}
}

func gradsGo(width, ntaps int) GradsFunc {
	return func(x *float32, xstep, xrow int, dy *float32, ystep, yrow int, taps *int, n, rows int, sums *float32, panels int, _ *float32, _ int, _ *float32) {
		table := unsafe.Slice(taps, 2*ntaps)
		for c := 0; c < panels*width; c += width {
			xAt, yAt := c, c
			for range rows {
				for range n {
					grads := floats(dy, yAt, width)
					for t := 0; t < len(table); t += 2 {
						sum := floats(sums, table[t+1]+c, width)
						for k, v := range floats(x, table[t]+xAt, width) {
							sum[k] += v * grads[k]
						}
					}
					xAt += xstep
					yAt += ystep
				}
				xAt += xrow
				yAt += yrow
			}
		}
	}
}
