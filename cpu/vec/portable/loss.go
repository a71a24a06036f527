package portable

import (
	"math"

	"github.com/seed52467199/trainer/cpu/internal/acts"
)

// Softmax is y = e^x / sum(e^x) for each row of x (rows, classes).
func Softmax[T Float](y, x []T, classes int) {
	for at := 0; at < len(y); at += classes {
		row, out := x[at:at+classes], y[at:at+classes]
		lse := logSumExp(row)
		for i, v := range row {
			out[i] = T(math.Exp(float64(v) - lse))
		}
	}
}

// SoftmaxSums is Softmax, and the logarithm of each row's sum of e^x.
func SoftmaxSums[T Float](y, x, logs []T, classes int) {
	for i := range logs {
		logs[i] = T(logSumExp(x[i*classes:][:classes]))
	}
	Softmax(y, x, classes)
}

// SoftmaxGrad is dx = y * (dy - sum(y*dy)) for each row, from the output y.
func SoftmaxGrad[T Float](dx, dy, y []T, classes int) {
	for at := 0; at < len(y); at += classes {
		s := Dot(y[at:at+classes], dy[at:at+classes])
		for i := at; i < at+classes; i++ {
			dx[i] = T(float64(y[i]) * (float64(dy[i]) - s))
		}
	}
}

// LogSoftmax is y = x - log(sum(e^x)) for each row of x (rows, classes).
func LogSoftmax[T Float](y, x []T, classes int) {
	for at := 0; at < len(y); at += classes {
		row := x[at : at+classes]
		lse := logSumExp(row)
		for i, v := range row {
			y[at+i] = T(float64(v) - lse)
		}
	}
}

// LogSoftmaxGrad is dx = dy - e^y * sum(dy) for each row, from the output y.
func LogSoftmaxGrad[T Float](dx, dy, y []T, classes int) {
	for at := 0; at < len(y); at += classes {
		s := Sum(dy[at : at+classes])
		for i := at; i < at+classes; i++ {
			dx[i] = T(float64(dy[i]) - math.Exp(float64(y[i]))*s)
		}
	}
}

func logSumExp[T Float](x []T) float64 {
	m := float64(Max(x))
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v) - m)
	}
	return m + math.Log(s)
}

// CrossEntropy is the loss of one row of logits for a class, and the loss's
// gradient times scale in grad unless that is nil.
func CrossEntropy[T Float](grad, logits []T, label int, smoothing, scale T) float64 {
	lse, off := logSumExp(logits), float64(smoothing)/float64(len(logits))
	var loss float64
	for i, v := range logits {
		t := off
		if i == label {
			t += 1 - float64(smoothing)
		}
		if t != 0 { // a class that is not wanted may have a logit of -Inf
			loss += t * (lse - float64(v))
		}
		if grad != nil {
			grad[i] = T((math.Exp(float64(v)-lse) - t) * float64(scale))
		}
	}
	return loss
}

// SoftCrossEntropy is CrossEntropy for a distribution over the classes.
func SoftCrossEntropy[T Float](grad, logits, target []T, smoothing, scale T) float64 {
	lse, off := logSumExp(logits), float64(smoothing)/float64(len(logits))
	total := (1-float64(smoothing))*Sum(target) + float64(smoothing)
	var loss float64
	for i, v := range logits {
		t := (1-float64(smoothing))*float64(target[i]) + off
		if t != 0 { // a class that is not wanted may have a logit of -Inf
			loss += t * (lse - float64(v))
		}
		if grad != nil {
			grad[i] = T((total*math.Exp(float64(v)-lse) - t) * float64(scale))
		}
	}
	return loss
}

// BinaryCrossEntropy is the sum of the losses of logits x for targets t, and
// the gradient times scale in grad.
func BinaryCrossEntropy[T Float](grad, x, t []T, scale T) float64 {
	var loss float64
	for i := range grad {
		v, target := float64(x[i]), float64(t[i])
		loss += max(v, 0) - v*target + math.Log1p(math.Exp(-math.Abs(v)))
		grad[i] = T((acts.Logistic(v) - target) * float64(scale))
	}
	return loss
}
