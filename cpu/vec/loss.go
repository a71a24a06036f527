package vec

import (
	"math"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// expSums is y = e^(x-m) for the largest element m of x, and returns m and the
// sum of y. With y nil it only returns them.
func expSums(y, x []float32) (m float32, sum float64) {
	var acc [lanes]float32
	m = Max(x)
	if y == nil {
		expSumOnly(acc[:], x, m)
	} else {
		expSum(acc[:], y, x, m)
	}
	return m, portable.Sum(acc[:])
}

// Softmax is y = e^x / sum(e^x) for each row of x (rows, classes).
func Softmax(y, x []float32, classes int) {
	agree(len(y), len(x))
	checkRows(len(y), classes)
	if active == isa.Generic {
		portable.Softmax(y, x, classes)
		return
	}
	for at := 0; at < len(y); at += classes {
		row := y[at : at+classes]
		_, sum := expSums(row, x[at:at+classes])
		scale(row, row, float32(1/sum))
	}
}

// SoftmaxSums is Softmax, and the logarithm of each row's sum of e^x.
func SoftmaxSums(y, x, logs []float32, classes int) {
	agree(len(y), len(x), len(logs)*classes)
	if active == isa.Generic {
		portable.SoftmaxSums(y, x, logs, classes)
		return
	}
	for i := range logs {
		row := y[i*classes:][:classes]
		m, sum := expSums(row, x[i*classes:][:classes])
		logs[i] = m + float32(math.Log(sum))
		scale(row, row, float32(1/sum))
	}
}

// SoftmaxGrad is dx = y * (dy - sum(y*dy)) for each row (rows, classes), from
// the output y of Softmax.
func SoftmaxGrad(dx, dy, y []float32, classes int) {
	agree(len(dx), len(dy), len(y))
	checkRows(len(dx), classes)
	if active == isa.Generic {
		portable.SoftmaxGrad(dx, dy, y, classes)
		return
	}
	for at := 0; at < len(dx); at += classes {
		p, d := y[at:at+classes], dy[at:at+classes]
		softmaxGrad(dx[at:at+classes], p, d, float32(Dot(p, d)))
	}
}

// LogSoftmax is y = x - log(sum(e^x)) for each row of x (rows, classes).
func LogSoftmax(y, x []float32, classes int) {
	agree(len(y), len(x))
	checkRows(len(y), classes)
	if active == isa.Generic {
		portable.LogSoftmax(y, x, classes)
		return
	}
	for at := 0; at < len(y); at += classes {
		row := y[at : at+classes]
		m, sum := expSums(nil, x[at:at+classes])
		// In two steps, for m + log(sum) loses digits of the latter.
		affine(row, x[at:at+classes], 1, -m)
		affine(row, row, 1, float32(-math.Log(sum)))
	}
}

// LogSoftmaxGrad is dx = dy - e^y * sum(dy) for each row (rows, classes), from
// the output y of LogSoftmax. dx must not be dy.
func LogSoftmaxGrad(dx, dy, y []float32, classes int) {
	agree(len(dx), len(dy), len(y))
	checkRows(len(dx), classes)
	if active == isa.Generic {
		portable.LogSoftmaxGrad(dx, dy, y, classes)
		return
	}
	for at := 0; at < len(dx); at += classes {
		row, d := dx[at:at+classes], dy[at:at+classes]
		exp(row, y[at:at+classes])
		scale(row, row, float32(-Sum(d)))
		add(row, row, d)
	}
}

// CrossEntropy is the loss of one row of logits (classes) for a class:
// -sum(t*log softmax(x)), with t the class smoothed by
// t = (1-smoothing)*onehot + smoothing/classes. The loss's gradient, times
// scale, goes to grad (classes) unless grad is nil.
func CrossEntropy(grad, logits []float32, label int, smoothing, scale float32) float64 {
	if active == isa.Generic {
		return portable.CrossEntropy(grad, logits, label, smoothing, scale)
	}
	m, sum := expSums(grad, logits)
	eps := float64(smoothing)
	loss := math.Log(sum) + float64(m) - (1-eps)*float64(logits[label])
	if eps != 0 {
		loss -= eps * Sum(logits) / float64(len(logits))
	}
	if grad != nil {
		affine(grad, grad, float32(float64(scale)/sum), -scale*smoothing/float32(len(logits)))
		grad[label] -= (1 - smoothing) * scale
	}
	return loss
}

// SoftCrossEntropy is CrossEntropy for a distribution over the classes:
// t = (1-smoothing)*target + smoothing/classes. A target that does not add up to
// 1 counts as it is.
func SoftCrossEntropy(grad, logits, target []float32, smoothing, scale float32) float64 {
	agree(len(logits), len(target))
	if active == isa.Generic {
		return portable.SoftCrossEntropy(grad, logits, target, smoothing, scale)
	}
	m, sum := expSums(grad, logits)
	eps := float64(smoothing)
	total := (1-eps)*Sum(target) + eps
	loss := total*(math.Log(sum)+float64(m)) - (1-eps)*Dot(logits, target)
	if eps != 0 {
		loss -= eps * Sum(logits) / float64(len(logits))
	}
	if grad != nil {
		crossEntropyGrad(grad, grad, target,
			float32(total*float64(scale)/sum), (1-smoothing)*scale, scale*smoothing/float32(len(logits)))
	}
	return loss
}

// BinaryCrossEntropy is the sum over the logits x of the binary cross-entropy
// of sigmoid(x) with the targets t, which is max(x,0) - x*t + log(1+e^-|x|). Its
// gradient (sigmoid(x)-t) times scale goes to grad.
func BinaryCrossEntropy(grad, x, t []float32, scale float32) float64 {
	agree(len(grad), len(x), len(t))
	if active == isa.Generic {
		return portable.BinaryCrossEntropy(grad, x, t, scale)
	}
	// Few enough terms a lane for float32 to add them up well.
	const most = 256 * lanes
	var loss float64
	for at := 0; at < len(grad); at += most {
		end := min(at+most, len(grad))
		var acc [lanes]float32
		binaryCrossEntropy(acc[:], grad[at:end], x[at:end], t[at:end], scale)
		loss += portable.Sum(acc[:])
	}
	return loss
}
