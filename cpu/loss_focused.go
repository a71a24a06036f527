package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/internal/acts"
	"github.com/seed52467199/trainer/graph/op"
)

// powSlope is x^g and its derivative for an x of at least 0. At 0, where the latter may
// be infinite, it is 0 but for g = 1: nothing is left there to learn.
func powSlope(x, g float64) (y, slope float64) {
	switch {
	case g == 0:
		return 1, 0
	case g == 1:
		return x, 1
	case x <= 0:
		return 0, 0
	}
	y = math.Pow(x, g)
	return y, g * y / x
}

func sigmoidFocal[T number](c op.Call, o op.SigmoidFocal) plan {
	return elementLoss[T](c, lossCount(c, o.SumClasses), func(k int, x, t float64) (loss, grad float64) {
		p, not := acts.Logistic(x), acts.Logistic(-x)
		entropy := binaryCrossEntropy(x, t)
		// 1-p of what is right, without a difference of numbers near 1.
		focus, slope := powSlope(not*t+p*(1-t), o.Gamma)
		w := weightOf(o.Weight, k)
		if o.Alpha >= 0 {
			w *= o.Alpha*t + (1-o.Alpha)*(1-t)
		}
		return w * entropy * focus, w * ((p-t)*focus + entropy*slope*p*not*(1-2*t))
	})
}

func softmaxFocal[T number](c op.Call, o op.SoftmaxFocal) plan {
	return rowLoss[T](c, func(p, logp, t float64) (loss, d float64) {
		if t == 0 { // a class that is not wanted may have a logit of -Inf
			return 0, 0
		}
		focus, slope := powSlope(-math.Expm1(logp), o.Gamma)
		return -t * focus * logp, -t * (focus - slope*p*logp)
	})
}

func asymmetric[T number](c op.Call, o op.Asymmetric) plan {
	const least = 1e-8
	// logSlope is the logarithm of a probability that counts as least below that.
	logSlope := func(p float64) (y, slope float64) {
		if p < least {
			return math.Log(least), 0
		}
		return math.Log(p), 1 / p
	}
	return elementLoss[T](c, lossCount(c, true), func(k int, x, t float64) (loss, grad float64) {
		p, q := acts.Logistic(x), acts.Logistic(-x)
		dp := p * q
		dq := -dp
		if q += o.Clip; q > 1 {
			q, dq = 1, 0
		}
		logp, slopeP := logSlope(p)
		logq, slopeQ := logSlope(q)
		there := weightOf(o.PosWeight, k) * t
		entropy := there*logp + (1-t)*logq
		dEntropy := there*slopeP*dp + (1-t)*slopeQ*dq
		focus, slope := powSlope(1-(p*t+q*(1-t)), o.GammaPos*t+o.GammaNeg*(1-t))
		dFocus := -slope * (dp*t + dq*(1-t))
		w := weightOf(o.Weight, k)
		return -w * focus * entropy, -w * (focus*dEntropy + dFocus*entropy)
	})
}

func softmaxAsymmetric[T number](c op.Call, o op.SoftmaxAsymmetric) plan {
	_, classes := columnsOf(c.In[0])
	return rowLoss[T](c, func(p, logp, t float64) (loss, d float64) {
		wanted := t*(1-o.Smoothing) + o.Smoothing/float64(classes)
		if wanted == 0 {
			return 0, 0
		}
		focus, slope := powSlope(t+p-2*p*t, o.GammaPos*t+o.GammaNeg*(1-t))
		return -wanted * focus * logp, -wanted * (focus + slope*(1-2*t)*p*logp)
	})
}
