package depthwise

import "github.com/seed52467199/trainer/cpu/isa"

// RunFunc computes a run of n values, at least one, of each of the channels of
// some panels, as wide as the kernel. For value i and channel c, counted from
// the first of each
//
//	y[i·ystep+c] = min(ceiling, max(floor, start[c] + Σt x[taps[2t]+i·xstep+c] · w[taps[2t+1]+c]))
//
// with t < ntaps, which may be 0. Offsets and steps count floats. Where start is
// nil, the sum starts from y itself. What is not a number passes both bounds.
//
// A panel's way through memory is one that the processor foresees badly, so
// kernels ask for what comes after it: for as much as they write from nexty on, and
// for times as much from nextx on.
type RunFunc func(x *float32, xstep int, w *float32, taps *int, ntaps int, start, y *float32, ystep, n, panels int, floor, ceiling float32, nextx *float32, times int, nexty *float32)

// GradsFunc adds up, for a fixed number of taps and each channel c of some
// panels,
//
//	sums[taps[2t+1]+c] += Σr Σi x[taps[2t]+at(r,i)+c] · dy[r·(n·ystep+yrow)+i·ystep+c]
//
// with i < n, r < rows and at(r,i) = r·(n·xstep+xrow) + i·xstep: xrow and yrow lead
// from behind the end of a row to the next one. Offsets and steps count floats. nextx,
// times and nexty are those of a RunFunc, for what is read of dy in place of what is
// written.
type GradsFunc func(x *float32, xstep, xrow int, dy *float32, ystep, yrow int, taps *int, n, rows int, sums *float32, panels int, nextx *float32, times int, nexty *float32)

// Most is the largest number of taps that a GradsFunc takes.
const Most = 9

// Width is the kernels for panels of some number of channels.
type Width struct {
	Channels int
	Run      RunFunc
	Grads    [Most]GradsFunc // Grads[t-1] takes t taps
}

// Kernels are those of one level, the widest first; the last is one channel wide.
type Kernels struct{ Widths []Width }

// For is the kernels of a level, which must not be above isa.Best.
func For(level isa.Level) *Kernels {
	if level > isa.Best() {
		level = isa.Best()
	}
	return kernels[level]
}
