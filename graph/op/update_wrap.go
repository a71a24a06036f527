package op

// Perturb keeps w and then moves it up the gradient: kept = w; w += rate*g or, with
// Adaptive, rate*w*w*g. Inputs: w, g, kept (P each), and rate in a vector of one float64.
type Perturb struct{ Adaptive bool }

// Kind implements Op.
func (Perturb) Kind() string { return "perturb" }

// Infer implements Op.
func (Perturb) Infer(in []Shape) ([]Shape, error) { return nil, checkUpdate("perturb", in, 4) }

// Work implements Op.
func (o Perturb) Work(in, _ []Shape) Work {
	return traffic(4*int64(Size(in[0])), in, written(in, o))
}

// Mutates implements Mutator.
func (Perturb) Mutates() []int { return []int{0, 2} }

// Lookahead moves slow weights a part of the way to w and puts w there: slow = w at the
// first time; slow += alpha*(w-slow); w = slow. Inputs: w, slow (P each), and alpha and
// whether it is the first time, 1 or 0, in a vector of two float64.
type Lookahead struct{}

// Kind implements Op.
func (Lookahead) Kind() string { return "lookahead" }

// Infer implements Op.
func (Lookahead) Infer(in []Shape) ([]Shape, error) { return nil, checkUpdate("lookahead", in, 3) }

// Work implements Op.
func (Lookahead) Work(in, _ []Shape) Work { return traffic(3*int64(Size(in[0])), in, in[:2]) }

// Mutates implements Mutator.
func (Lookahead) Mutates() []int { return []int{0, 1} }
