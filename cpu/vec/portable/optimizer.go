package portable

import "math"

// SGD is stochastic gradient descent as PyTorch does it. With
// d = GradScale*g + WeightDecay*w the buffer becomes
// Momentum*buf + (1-Dampening)*d, and at the First step d; then w -= LR*buf, or
// with Nesterov w -= LR*(d + Momentum*buf).
type SGD struct {
	LR, WeightDecay     float64
	GradScale           float64 // multiplies the gradient first; 1 leaves it
	Momentum, Dampening float64
	Nesterov, First     bool
}

// Coefficients are the factors of the step d, buf = Damped*d + Momentum*buf,
// w -= LR*(Direct*d + Buffer*buf).
func (s SGD) Coefficients() (momentum, damped, direct, buffer float64) {
	momentum, damped, buffer = s.Momentum, 1-s.Dampening, 1
	if s.First {
		momentum, damped = 0, 1
	}
	if s.Nesterov {
		direct, buffer = 1, s.Momentum
	}
	return momentum, damped, direct, buffer
}

// SGDStep updates w from g; buf is the momentum buffer, nil without momentum.
func SGDStep[T Float](s SGD, w, buf, g []T) {
	lr, wd, scale := T(s.LR), T(s.WeightDecay), T(s.GradScale)
	mu, da, di, bu := s.Coefficients()
	momentum, damped, direct, buffer := T(mu), T(da), T(di), T(bu)
	for i := range w {
		d := g[i]*scale + wd*w[i]
		if buf != nil {
			buf[i] = momentum*buf[i] + damped*d
			d = direct*d + buffer*buf[i]
		}
		w[i] -= lr * d
	}
}

// Adam is Adam (arXiv 1412.6980) and, with Decoupled, AdamW (arXiv 1711.05101),
// as PyTorch does them. With d = GradScale*g (+ WeightDecay*w unless Decoupled):
// m += (1-Beta1)*(d-m), v = Beta2*v + (1-Beta2)*d²; AdamW first does
// w *= 1-LR*WeightDecay; w -= LR/(1-Beta1^t) * m / (sqrt(v)/sqrt(1-Beta2^t) + Eps).
type Adam struct {
	LR, WeightDecay   float64
	GradScale         float64 // multiplies the gradient first; 1 leaves it
	Beta1, Beta2, Eps float64
	Decoupled         bool
	Step              int // t, from 1
}

// BiasCorrection is 1/(1-Beta1^t) and 1/sqrt(1-Beta2^t).
func (a Adam) BiasCorrection() (first, root float64) {
	t := float64(a.Step)
	return 1 / (1 - math.Pow(a.Beta1, t)), 1 / math.Sqrt(1-math.Pow(a.Beta2, t))
}

// AdamStep updates w and the moments m and v from g.
func AdamStep[T Float](a Adam, w, m, v, g []T) {
	l2, keep := a.WeightDecay, 1.0
	if a.Decoupled {
		l2, keep = 0, 1-a.LR*a.WeightDecay
	}
	first, root := a.BiasCorrection()
	for i := range w {
		d := adamDirection(a, &m[i], &v[i], g[i]*T(a.GradScale)+T(l2)*w[i], T(root))
		w[i] = w[i]*T(keep) - T(a.LR*first)*d
	}
}

// AdamDirection updates the moments and sets u to the step that Adam takes for
// a learning rate of 1, plus WeightDecay*w.
func AdamDirection[T Float](a Adam, u, m, v, g, w []T) {
	first, root := a.BiasCorrection()
	for i := range u {
		d := adamDirection(a, &m[i], &v[i], g[i]*T(a.GradScale), T(root))
		u[i] = T(first)*d + T(a.WeightDecay)*w[i]
	}
}

// adamDirection makes the new moments and returns m / (sqrt(v)*root + Eps).
func adamDirection[T Float](a Adam, m, v *T, g, root T) T {
	*m += T(1-a.Beta1) * (g - *m)
	*v = T(a.Beta2)**v + T(1-a.Beta2)*g*g
	return *m / (T(math.Sqrt(float64(*v)))*root + T(a.Eps))
}
