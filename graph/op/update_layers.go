package op

// The rules below look at a parameter, a segment, as a whole.

// LAMB is arXiv 1904.00962 as timm has it. State: the moments m and v. It does
// m += (1-Beta1)*(d-m); v = Beta2*v + (1-Beta2)*d*d;
// u = m/(1-Beta1^t) / (sqrt(v)/sqrt(1-Beta2^t) + Eps) + wd*w; w -= lr*r*u, where the
// trust ratio r of a parameter is |w|/|u|, at most 1 with TrustClip, and 1 where either
// norm is 0 or where, unless AlwaysAdapt is set, wd is 0.
type LAMB struct {
	Beta1, Beta2, Eps      float64
	TrustClip, AlwaysAdapt bool
}

// RuleName implements Rule.
func (LAMB) RuleName() string { return "lamb" }

// States implements Rule.
func (LAMB) States() int { return 2 }

// FLOPs implements Rule.
func (LAMB) FLOPs() int64 { return 24 }

// LARS is arXiv 1708.03888 as timm has it: SGD with d = (scale*g + wd*w)*r, where the
// trust ratio r of a parameter is TrustCoeff*|w| / (|scale*g| + wd*|w| + Eps), or with
// TrustClip (LARC) the least of 1 and that divided by lr. It is 1 where either norm is
// 0; where wd is 0, it is 1 too unless AlwaysAdapt is set. State: SGD's.
type LARS struct {
	SGD
	TrustCoeff, Eps        float64
	TrustClip, AlwaysAdapt bool
}

// RuleName implements Rule.
func (LARS) RuleName() string { return "lars" }

// FLOPs implements Rule.
func (LARS) FLOPs() int64 { return 12 }

// Adafactor is arXiv 1804.04235 as timm has it under a learning rate from outside. Where
// a parameter has two axes for it, the second moment is kept as its means over the one
// and over the other: with b = 1 - t^DecayRate, row += (1-b)*(mean over columns of
// (d*d+1e-30) - row), col likewise, v = row*col / (mean of row); else as v itself. Then
// u = d/sqrt(v); u *= lr / max(1, rms(u)/ClipThreshold), and with Beta1 above 0
// m += (1-Beta1)*(u-m), u = m; w -= wd*lr*w + u. State: one vector, with what each of
// Factors says.
type Adafactor struct {
	DecayRate     float64 // below 0
	ClipThreshold float64
	Beta1         float64
	Factors       []Factors // one a segment
}

// RuleName implements Rule.
func (Adafactor) RuleName() string { return "adafactor" }

// States implements Rule.
func (Adafactor) States() int { return 1 }

// FLOPs implements Rule.
func (Adafactor) FLOPs() int64 { return 25 }

// Factors says how Adafactor sees a parameter. Offsets are in elements of the state.
type Factors struct {
	// Axes are the extents of the parameter in memory.
	Axes []int
	// Row and Col are, for each axis, the step in the means over columns and over
	// rows, 0 for an axis that these are means over; nil where there is no factoring.
	Row, Col []int
	// Mean are the steps, likewise, in the means of Row over all rows.
	Mean []int
	// RowAt and ColAt are the offsets of both, SquareAt that of the second moment
	// where there is no factoring, and MomentAt that of the first, where Beta1 is
	// above 0.
	RowAt, ColAt, SquareAt, MomentAt int
}

// Muon orthogonalises the momentum of matrices (timm's form of
// kellerjordan.github.io/posts/muon, with Newton-Schulz steps in the element type) and
// does the others by Rest. State: one vector, with what each of Matrices says. A matrix
// with a Norm first gets it: w *= Norm/|w|. Then
// w *= 1-lr*wd; m += (1-Momentum)*(d-m); u = m or, with Nesterov, d + Momentum*(m-d);
// x = u/max(|u|, 1e-7); for every step x = a*x + (b*y + c*y*y)*x with y = x*xᵀ (the
// smaller of the two products); w -= lr*Scale*x.
type Muon struct {
	Momentum float64
	Nesterov bool
	// Steps are the a, b and c of every Newton-Schulz step.
	Steps [][3]float64
	// Rest updates what is no matrix. Its elements do not depend on each other, and it
	// has at most two states.
	Rest     Rule
	Matrices []Matrix // one a segment
}

// RuleName implements Rule.
func (Muon) RuleName() string { return "muon" }

// States implements Rule.
func (Muon) States() int { return 1 }

// FLOPs implements Rule.
func (o Muon) FLOPs() int64 {
	var flops, size int64 = 0, 1
	for _, m := range o.Matrices {
		n := int64(m.Rows) * int64(m.Cols)
		flops += int64(4*len(o.Steps)) * n * int64(min(m.Rows, m.Cols))
		size += n
	}
	return 12 + flops/size
}

// Matrix says how Muon sees a parameter. Offsets are in elements of the state.
type Matrix struct {
	// Rows and Cols are the extents in memory, in either of which the outputs lie;
	// 0 for what is not a matrix.
	Rows, Cols int
	// Scale is the size of an update at a learning rate of 1, and Norm, where above 0,
	// the 2-norm that the matrix gets before.
	Scale, Norm float64
	// MomentAt is the offset of the momentum, or of the first state of Rest, and
	// SquareAt that of its second.
	MomentAt, SquareAt int
}
