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
// Nesterov has m + (1-Beta1)*(d-m) in the place of m in the last step (NAdamW, arXiv
// 1910.05446), and Rectified another factor and divisor (RAdam, arXiv 1908.03265).
type Adam struct {
	LR, WeightDecay   float64
	GradScale         float64 // multiplies the gradient first; 1 leaves it
	Beta1, Beta2, Eps float64
	Decoupled         bool
	Nesterov          bool
	Rectified         bool
	Step              int // t, from 1
}

// Scalars are the factors of the step LR*first * m / (sqrt(v)*root + eps): for Adam
// 1/(1-Beta1^t), 1/sqrt(1-Beta2^t) and Eps.
func (a Adam) Scalars() (first, root, eps float64) {
	t := float64(a.Step)
	first, root = 1/(1-math.Pow(a.Beta1, t)), math.Sqrt(1-math.Pow(a.Beta2, t))
	if !a.Rectified {
		return first, 1 / root, a.Eps
	}
	most := 2/(1-a.Beta2) - 1 // the length of the average, and what it grows to
	length := most - 2*t*math.Pow(a.Beta2, t)/(1-math.Pow(a.Beta2, t))
	if length <= 5 { // too short to divide by
		return first, 0, 1
	}
	c := (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
	return first * root * math.Sqrt(c), 1, a.Eps
}

// AdamStep updates w and the moments m and v from g.
func AdamStep[T Float](a Adam, w, m, v, g []T) {
	l2, keep := a.WeightDecay, 1.0
	if a.Decoupled {
		l2, keep = 0, 1-a.LR*a.WeightDecay
	}
	first, root, eps := a.Scalars()
	for i := range w {
		by := g[i]*T(a.GradScale) + T(l2)*w[i]
		d := adamMoments(a, &m[i], &v[i], by)
		if a.Nesterov {
			d += T(1-a.Beta1) * (by - d)
		}
		w[i] = w[i]*T(keep) - T(a.LR*first)*(d/(squareRoot(v[i])*T(root)+T(eps)))
	}
}

// AdamWeights is what AdamStep does to the weights, where the moments are new already and
// decay keeps apart.
func AdamWeights[T Float](a Adam, w, m, v []T) {
	first, root, eps := a.Scalars()
	for i := range w {
		w[i] = w[i]*T(1-a.LR*a.WeightDecay) - T(a.LR*first)*(m[i]/(squareRoot(v[i])*T(root)+T(eps)))
	}
}

// AdamDirection updates the moments and sets u to the step that Adam takes for
// a learning rate of 1, plus WeightDecay*w.
func AdamDirection[T Float](a Adam, u, m, v, g, w []T) {
	first, root, eps := a.Scalars()
	for i := range u {
		d := adamMoments(a, &m[i], &v[i], g[i]*T(a.GradScale))
		u[i] = T(first)*(d/(squareRoot(v[i])*T(root)+T(eps))) + T(a.WeightDecay)*w[i]
	}
}

// adamMoments makes the new moments and returns the first.
func adamMoments[T Float](a Adam, m, v *T, g T) T {
	*m += T(1-a.Beta1) * (g - *m)
	*v = T(a.Beta2)**v + T(1-a.Beta2)*g*g
	return *m
}

func squareRoot[T Float](x T) T { return T(math.Sqrt(float64(x))) }

// Lion is arXiv 2302.06675. With d = GradScale*g it does w *= 1-LR*WeightDecay;
// w -= LR*sign(m + (1-Beta1)*(d-m)), nothing for 0 and NaN; m += (1-Beta2)*(d-m).
type Lion struct {
	LR, WeightDecay float64
	GradScale       float64 // multiplies the gradient first; 1 leaves it
	Beta1, Beta2    float64
}

// LionStep updates w and the moment m from g.
func LionStep[T Float](l Lion, w, m, g []T) {
	lr, keep := T(l.LR), T(1-l.LR*l.WeightDecay)
	for i := range w {
		change := g[i]*T(l.GradScale) - m[i]
		w[i] *= keep
		switch ahead := m[i] + T(1-l.Beta1)*change; {
		case ahead > 0:
			w[i] -= lr
		case ahead < 0:
			w[i] += lr
		}
		m[i] += T(1-l.Beta2) * change
	}
}

// RMSProp is TensorFlow's RMSprop. With d = GradScale*g + WeightDecay*w it does
// v += (1-Alpha)*(d²-v); d *= LR/sqrt(v+Eps); then w -= d or, with a buffer,
// buf = Momentum*buf + d; w -= buf.
type RMSProp struct {
	LR, WeightDecay      float64
	GradScale            float64 // multiplies the gradient first; 1 leaves it
	Alpha, Eps, Momentum float64
}

// RMSPropStep updates w, the mean square v and buf, which is nil without momentum, from g.
func RMSPropStep[T Float](r RMSProp, w, v, buf, g []T) {
	for i := range w {
		d := g[i]*T(r.GradScale) + T(r.WeightDecay)*w[i]
		v[i] += T(1-r.Alpha) * (d*d - v[i])
		d = d * T(r.LR) / squareRoot(v[i]+T(r.Eps))
		if buf != nil {
			buf[i] = T(r.Momentum)*buf[i] + d
			d = buf[i]
		}
		w[i] -= d
	}
}
