package schedule_test

import (
	"fmt"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/schedule"
)

func Example() {
	c := configs.Default().Schedule // cosine, per update
	c.WarmupEpochs, c.WarmupLR = 1, 0.01
	s, err := schedule.New(c, schedule.Span{Epochs: 4, UpdatesPerEpoch: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, update := range []int{0, 50, 100, 200, 300, 399} {
		fmt.Printf("update %3d: %.4f\n", update, s.LR(0.1, update))
	}
	// Output:
	// update   0: 0.0100
	// update  50: 0.0550
	// update 100: 0.0854
	// update 200: 0.0500
	// update 300: 0.0146
	// update 399: 0.0000
}
