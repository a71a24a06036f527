package op

import "fmt"

// Window is how a kernel slides over height and width.
type Window struct {
	KH, KW                               int
	StrideH, StrideW                     int
	PadTop, PadBottom, PadLeft, PadRight int
	DilationH, DilationW                 int
}

// Square is a k x k window with the same stride, padding and dilation 1 both ways.
func Square(k, stride, pad int) Window {
	return Window{KH: k, KW: k, StrideH: stride, StrideW: stride,
		PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad, DilationH: 1, DilationW: 1}
}

// Out is the extent of the result over a map of height h and width w. With
// ceil, a last window that starts inside the map or its leading padding counts
// even if it is cut off (PyTorch's ceil_mode).
func (w Window) Out(h, wd int, ceil bool) (oh, ow int, err error) {
	if w.KH < 1 || w.KW < 1 || w.StrideH < 1 || w.StrideW < 1 || w.DilationH < 1 || w.DilationW < 1 {
		return 0, 0, fmt.Errorf("window %dx%d, stride %dx%d, dilation %dx%d: each must be at least 1", w.KH, w.KW, w.StrideH, w.StrideW, w.DilationH, w.DilationW)
	}
	if min(w.PadTop, w.PadBottom, w.PadLeft, w.PadRight) < 0 {
		return 0, 0, fmt.Errorf("padding (top %d, bottom %d, left %d, right %d) must not be negative", w.PadTop, w.PadBottom, w.PadLeft, w.PadRight)
	}
	oh = extent(h, w.KH, w.StrideH, w.PadTop, w.PadBottom, w.DilationH, ceil)
	ow = extent(wd, w.KW, w.StrideW, w.PadLeft, w.PadRight, w.DilationW, ceil)
	if oh < 1 || ow < 1 {
		return 0, 0, fmt.Errorf("a %dx%d map with padding (top %d, bottom %d, left %d, right %d) is smaller than the %dx%d window with dilation %dx%d",
			h, wd, w.PadTop, w.PadBottom, w.PadLeft, w.PadRight, w.KH, w.KW, w.DilationH, w.DilationW)
	}
	return oh, ow, nil
}

func extent(n, k, stride, before, after, dilation int, ceil bool) int {
	room := n + before + after - dilation*(k-1) - 1
	if room < 0 {
		return 0
	}
	out := room/stride + 1
	if ceil && room%stride != 0 && out*stride < n+before {
		out++
	}
	return out
}

// nhwc checks that x is (N, H, W, C).
func nhwc(kind string, x Shape) (n, h, w, c int, err error) {
	if len(x) != 4 {
		return 0, 0, 0, 0, fmt.Errorf("%s: its input is %v, want (N, H, W, C)", kind, x)
	}
	return x[0], x[1], x[2], x[3], nil
}
