package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// sgdStep multiplies the gradient, weight decay included, with ratio.
func sgdStep[T number](o op.SGD, u updated[T], s span, ratio float64) {
	lr, decay := u.hyper.group(s.group)
	o.Momentum = u.hyper.momentum(o.Momentum)
	for i := s.lo; i < s.hi; i++ {
		d := ratio * (u.hyper.gradScale()*float64(u.g[i]) + decay*float64(u.w[i]))
		if o.Momentum != 0 {
			m, v := &u.state[0][i], d
			if u.hyper.step() != 1 {
				v = o.Momentum*float64(*m) + (1-o.Dampening)*d
			}
			*m = T(v)
			if o.Nesterov {
				d += o.Momentum * v
			} else {
				d = v
			}
		}
		u.w[i] = T(float64(u.w[i]) - lr*d)
	}
}

func adamStep[T number](o op.Adam, u updated[T], s span) {
	lr, decay := u.hyper.group(s.group)
	o.Beta1 = u.hyper.momentum(o.Beta1)
	step, root, eps := adamScalars(o, u.hyper.step())
	for i := s.lo; i < s.hi; i++ {
		d, v := u.hyper.gradScale()*float64(u.g[i]), float64(u.w[i])
		if o.Decoupled {
			v *= 1 - lr*decay
		} else {
			d += decay * v
		}
		m1, m2 := moments(o.Beta1, o.Beta2, d, &u.state[0][i], &u.state[1][i])
		if o.Nesterov {
			m1 += (1 - o.Beta1) * (d - m1)
		}
		u.w[i] = T(v - lr*step*m1/(math.Sqrt(m2)*root+eps))
	}
}

// adamScalars are the factors of the step lr*step * m / (sqrt(v)*root + eps).
func adamScalars(o op.Adam, t float64) (step, root, eps float64) {
	step, root = 1/(1-math.Pow(o.Beta1, t)), math.Sqrt(1-math.Pow(o.Beta2, t))
	if !o.Rectified {
		return step, 1 / root, o.Eps
	}
	most := 2/(1-o.Beta2) - 1
	r := most - 2*t*math.Pow(o.Beta2, t)/(1-math.Pow(o.Beta2, t))
	if r <= 5 {
		return step, 0, 1
	}
	return step * root * math.Sqrt((r-4)*(r-2)*most/((most-4)*(most-2)*r)), 1, o.Eps
}

// moments makes the new moments of d.
func moments[T number](beta1, beta2, d float64, first, second *T) (m, v float64) {
	m = float64(*first) + (1-beta1)*(d-float64(*first))
	v = beta2*float64(*second) + (1-beta2)*d*d
	*first, *second = T(m), T(v)
	return m, v
}

func adamaxStep[T number](o op.Adamax, u updated[T], s span) {
	lr, decay := u.hyper.group(s.group)
	first, norm := u.state[0], u.state[1]
	size := lr / (1 - math.Pow(o.Beta1, u.hyper.step()))
	for i := s.lo; i < s.hi; i++ {
		d := u.hyper.gradScale()*float64(u.g[i]) + decay*float64(u.w[i])
		m := float64(first[i]) + (1-o.Beta1)*(d-float64(first[i]))
		n := max(o.Beta2*float64(norm[i]), math.Abs(d)+o.Eps)
		first[i], norm[i] = T(m), T(n)
		u.w[i] = T(float64(u.w[i]) - size*m/n)
	}
}

func rmspropStep[T number](o op.RMSProp, u updated[T], s span) {
	lr, decay := u.hyper.group(s.group)
	square := u.state[0]
	for i := s.lo; i < s.hi; i++ {
		d := u.hyper.gradScale()*float64(u.g[i]) + decay*float64(u.w[i])
		v := float64(square[i])
		if o.TF && u.hyper.step() == 1 {
			v = 1
		}
		v += (1 - o.Alpha) * (d*d - v)
		square[i] = T(v)
		if o.TF {
			d *= lr / math.Sqrt(v+o.Eps)
		} else {
			d /= math.Sqrt(v) + o.Eps
		}
		if o.Momentum != 0 {
			m := &u.state[1][i]
			d += o.Momentum * float64(*m)
			*m = T(d)
		}
		if !o.TF {
			d *= lr
		}
		u.w[i] = T(float64(u.w[i]) - d)
	}
}

func lionStep[T number](o op.Lion, u updated[T], s span) {
	lr, decay := u.hyper.group(s.group)
	first := u.state[0]
	for i := s.lo; i < s.hi; i++ {
		d, m := u.hyper.gradScale()*float64(u.g[i]), float64(first[i])
		w := float64(u.w[i]) * (1 - lr*decay)
		switch c := m + (1-o.Beta1)*(d-m); {
		case c > 0:
			w -= lr
		case c < 0:
			w += lr
		}
		u.w[i], first[i] = T(w), T(m+(1-o.Beta2)*(d-m))
	}
}

func adanStep[T number](o op.Adan, u updated[T], s span) {
	lr, decay := u.hyper.group(s.group)
	first, second, third, before := u.state[0], u.state[1], u.state[2], u.state[3]
	t := u.hyper.step()
	size, diff := lr/(1-math.Pow(o.Beta1, t)), lr*o.Beta2/(1-math.Pow(o.Beta2, t))
	root := math.Sqrt(1 - math.Pow(o.Beta3, t))
	for i := s.lo; i < s.hi; i++ {
		d := u.hyper.gradScale() * float64(u.g[i])
		p := float64(before[i]) + d
		if t == 1 {
			p = 0
		}
		m := float64(first[i]) + (1-o.Beta1)*(d-float64(first[i]))
		n := o.Beta2*float64(third[i]) + (1-o.Beta2)*p
		p = o.Beta2*p + d
		v := o.Beta3*float64(second[i]) + (1-o.Beta3)*p*p
		first[i], second[i], third[i], before[i] = T(m), T(v), T(n), T(-d)
		by := math.Sqrt(v)/root + o.Eps
		u.w[i] = T((float64(u.w[i]) - size*m/by - diff*n/by) / (1 + lr*decay))
	}
}

func madgradStep[T number](o op.MADGRAD, u updated[T], s span) {
	lr, decay := u.hyper.group(s.group)
	square, sum := u.state[0], u.state[1]
	size := (lr + o.Eps) * math.Sqrt(u.hyper.step())
	for i := s.lo; i < s.hi; i++ {
		w, v, a := float64(u.w[i]), float64(square[i]), float64(sum[i])
		d := u.hyper.gradScale()*float64(u.g[i]) + decay*w
		start := w + a/(math.Cbrt(v)+o.Eps)
		if o.Momentum != 0 {
			x := &u.state[2][i]
			if u.hyper.step() == 1 {
				*x = u.w[i]
			}
			start = float64(*x)
		}
		v += size * d * d
		a += size * d
		square[i], sum[i] = T(v), T(a)
		z := start - a/(math.Cbrt(v)+o.Eps)
		u.w[i] = T(o.Momentum*w + (1-o.Momentum)*z)
	}
}
