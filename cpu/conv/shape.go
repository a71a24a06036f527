package conv

import "fmt"

// Shape is the shape of a convolution of N images of H×W pixels and C
// channels with K filters of KH×KW pixels and C/Groups channels.
type Shape struct {
	N, H, W, C                           int
	K, KH, KW                            int
	StrideH, StrideW                     int
	PadTop, PadBottom, PadLeft, PadRight int
	DilationH, DilationW                 int
	Groups                               int
}

// OutH is the number of rows of the output.
func (s Shape) OutH() int {
	return (s.H+s.PadTop+s.PadBottom-s.DilationH*(s.KH-1)-1)/s.StrideH + 1
}

// OutW is the number of columns of the output.
func (s Shape) OutW() int {
	return (s.W+s.PadLeft+s.PadRight-s.DilationW*(s.KW-1)-1)/s.StrideW + 1
}

// FLOPs is the number of multiplications and additions of one pass, taps on
// the padding included. Forward and both gradients have the same.
func (s Shape) FLOPs() int64 {
	return 2 * int64(s.yLen()) * int64(s.KH*s.KW) * int64(s.C/s.Groups)
}

func (s Shape) xLen() int { return s.N * s.H * s.W * s.C }
func (s Shape) yLen() int { return s.N * s.OutH() * s.OutW() * s.K }
func (s Shape) wLen() int { return s.KH * s.KW * (s.C / s.Groups) * s.K }

// depthwise tells whether every output channel reads one input channel and
// there are several of them.
func (s Shape) depthwise() bool { return s.Groups == s.C && s.C > 1 }

// pointwise tells whether the images are no more than rows of pixels.
func (s Shape) pointwise() bool {
	return s.KH == 1 && s.KW == 1 && s.StrideH == 1 && s.StrideW == 1 &&
		s.PadTop == 0 && s.PadBottom == 0 && s.PadLeft == 0 && s.PadRight == 0
}

// flat is s with all its images under each other as one, where that makes no
// difference.
func (s Shape) flat() Shape {
	if s.pointwise() {
		s.N, s.H = 1, s.N*s.H
	}
	return s
}

// Validate explains the first thing that makes s impossible.
func (s Shape) Validate() error {
	for _, f := range []struct {
		name       string
		got, least int
	}{
		{"N", s.N, 1}, {"H", s.H, 1}, {"W", s.W, 1}, {"C", s.C, 1},
		{"K", s.K, 1}, {"KH", s.KH, 1}, {"KW", s.KW, 1},
		{"StrideH", s.StrideH, 1}, {"StrideW", s.StrideW, 1},
		{"PadTop", s.PadTop, 0}, {"PadBottom", s.PadBottom, 0},
		{"PadLeft", s.PadLeft, 0}, {"PadRight", s.PadRight, 0},
		{"DilationH", s.DilationH, 1}, {"DilationW", s.DilationW, 1},
		{"Groups", s.Groups, 1},
	} {
		if f.got < f.least {
			return fmt.Errorf("convolution: %s is %d; it must be at least %d", f.name, f.got, f.least)
		}
	}
	if s.C%s.Groups != 0 {
		return fmt.Errorf("convolution: %d input channels do not divide into %d groups", s.C, s.Groups)
	}
	if s.K%s.Groups != 0 {
		return fmt.Errorf("convolution: %d output channels do not divide into %d groups", s.K, s.Groups)
	}
	if h, need := s.H+s.PadTop+s.PadBottom, s.DilationH*(s.KH-1)+1; h < need {
		return fmt.Errorf("convolution: %d rows with padding are fewer than the %d that a filter spans", h, need)
	}
	if w, need := s.W+s.PadLeft+s.PadRight, s.DilationW*(s.KW-1)+1; w < need {
		return fmt.Errorf("convolution: %d columns with padding are fewer than the %d that a filter spans", w, need)
	}
	return nil
}

// check panics where the caller's memory is too small for the plan: what
// follows writes through pointers.
func check(what string, got, want int) {
	if got < want {
		panic(fmt.Sprintf("conv: %s has %d floats, the plan needs %d", what, got, want))
	}
}
