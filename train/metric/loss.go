package metric

import (
	"math"

	"github.com/seed52467199/trainer/data"
)

// Probabilities writes what a network's outputs for one image say: the softmax of a
// classifier's logits, the sigmoid of each logit for data.MultiLabel, and the numbers
// themselves for data.Regress. dst is as long as outputs.
func Probabilities(dst []float64, outputs []float32, task data.Task) {
	switch task {
	case data.MultiLabel:
		for c, x := range outputs {
			dst[c] = 1 / (1 + math.Exp(-float64(x)))
		}
	case data.Regress:
		for c, x := range outputs {
			dst[c] = float64(x)
		}
	default:
		norm := logSumExp(outputs)
		for c, x := range outputs {
			dst[c] = math.Exp(float64(x) - norm)
		}
	}
}

// ImageLoss is one image's part in Result.Loss: targets are used where the task is not
// data.Classify, the label where it is.
func ImageLoss(task data.Task, outputs []float32, label int32, targets []float32) float64 {
	if task == data.Classify {
		return logSumExp(outputs) - float64(outputs[label])
	}
	sum := 0.0
	for c, x := range outputs {
		if task == data.MultiLabel {
			sum += binaryCrossEntropy(float64(x), float64(targets[c]))
		} else {
			miss := float64(x) - float64(targets[c])
			sum += miss * miss
		}
	}
	return sum / float64(len(outputs))
}

// logSumExp is log(sum(exp(row))), of any logits that are numbers.
func logSumExp(row []float32) float64 {
	largest := float64(row[0])
	for _, x := range row {
		largest = max(largest, float64(x))
	}
	sum := 0.0
	for _, x := range row {
		sum += math.Exp(float64(x) - largest)
	}
	return math.Log(sum) + largest
}
