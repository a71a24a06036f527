package vec

import "github.com/seed52467199/trainer/cpu/vec/portable"

// Add is y = a + b. Add(y, y, x) accumulates.
func Add[E Element](y, a, b []E) {
	agree(len(y), len(a), len(b))
	if !addOf(y, a, b) {
		portable.Add(singles(y), singles(a), singles(b))
	}
}

// Sub is y = a - b.
func Sub(y, a, b []float32) {
	agree(len(y), len(a), len(b))
	if !sub(y, a, b) {
		portable.Sub(y, a, b)
	}
}

// Mul is y = a * b.
func Mul[E Element](y, a, b []E) {
	agree(len(y), len(a), len(b))
	if !mulOf(y, a, b) {
		portable.Mul(singles(y), singles(a), singles(b))
	}
}

// MulAdd is y += a * b.
func MulAdd(y, a, b []float32) {
	agree(len(y), len(a), len(b))
	if !mulAdd(y, a, b) {
		portable.MulAdd(y, a, b)
	}
}

// AddClip is y = a+b, limited to lo..hi; a NaN stays.
func AddClip[E Element](y, a, b []E, lo, hi float32) {
	agree(len(y), len(a), len(b))
	if !addClipOf(y, a, b, lo, hi) {
		portable.AddClip(singles(y), singles(a), singles(b), lo, hi)
	}
}

// ReLU is y = max(x, 0); a NaN stays.
func ReLU[E Element](y, x []E) {
	agree(len(y), len(x))
	if !reluOf(y, x) {
		portable.ReLU(singles(y), singles(x))
	}
}

// ReLUGrad is dx = dy where the output y of ReLU is above 0, else 0.
func ReLUGrad[E Element](dx, dy, y []E) {
	agree(len(dx), len(dy), len(y))
	if !reluGradOf(dx, dy, y) {
		portable.ReLUGrad(singles(dx), singles(dy), singles(y))
	}
}

// Scale is y = s * x.
func Scale[E Element](y, x []E, s float32) {
	agree(len(y), len(x))
	if !scaleOf(y, x, s) {
		portable.Scale(singles(y), singles(x), s)
	}
}

// Affine is y = s*x + t.
func Affine(y, x []float32, s, t float32) {
	agree(len(y), len(x))
	if !affine(y, x, s, t) {
		portable.Affine(y, x, s, t)
	}
}

// Axpy is y += s * x.
func Axpy(y, x []float32, s float32) {
	agree(len(y), len(x))
	if !axpy(y, x, s) {
		portable.Axpy(y, x, s)
	}
}

// Lerp is y += s * (x-y): a moving average for s = 1-decay, and mixup.
func Lerp(y, x []float32, s float32) {
	agree(len(y), len(x))
	if !lerp(y, x, s) {
		portable.Lerp(y, x, s)
	}
}

// Fill is y = s.
func Fill(y []float32, s float32) {
	if !fill(y, s) {
		portable.Fill(y, s)
	}
}

// Exp is y = e^x, to 2 ulp.
func Exp(y, x []float32) {
	agree(len(y), len(x))
	if !exp(y, x) {
		portable.Exp(y, x)
	}
}

// Log is y = log(x), to 2 ulp: -Inf at 0, NaN below.
func Log(y, x []float32) {
	agree(len(y), len(x))
	if !log(y, x) {
		portable.Log(y, x)
	}
}
