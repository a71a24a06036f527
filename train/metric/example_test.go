package metric_test

import (
	"fmt"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/train/metric"
)

// Two of three images get the largest output for their label.
func Example() {
	t := metric.New(metric.Options{Task: data.Classify, Outputs: 2})
	t.Add([]float32{2, 1, 0, 3, 1, 0}, []int32{0, 1, 1}, nil)
	r := t.Result()
	top1, _ := r.Figure(metric.Top1)
	fmt.Printf("%.1f %% of %d images, %v\n", top1, r.Images, r.Confusion)
	// Output: 66.7 % of 3 images, [[1 0] [1 1]]
}
