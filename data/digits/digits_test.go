package digits_test

import (
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/data/digits"
)

func TestLoad(t *testing.T) {
	set, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Labels) != digits.Count || len(set.Pixels) != digits.Count*digits.Side*digits.Side {
		t.Fatalf("%d labels and %d pixels", len(set.Labels), len(set.Pixels))
	}
	// The counts that scikit-learn's description gives.
	want := [10]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}
	var counts [10]int
	for _, l := range set.Labels {
		counts[l]++
	}
	if counts != want {
		t.Errorf("digits come %v times, want %v", counts, want)
	}
	// 16 sixteenths are white.
	most := uint8(0)
	for _, v := range set.Pixels {
		most = max(most, v)
	}
	if most != 255 {
		t.Errorf("the largest value is %d, want 255", most)
	}
}

func Example() {
	set, err := digits.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Labels[0])
	for y := range digits.Side {
		for _, v := range set.Pixels[y*digits.Side : (y+1)*digits.Side] {
			fmt.Printf("%c", " .:-=+*#%@"[int(v)*9/255])
		}
		fmt.Println("|")
	}
	// Output:
	// 0
	//   :#+   |
	//   #%+%: |
	//  .%. *= |
	//  :*  == |
	//  :=  += |
	//  :*  *- |
	//  .#:+*  |
	//   -#+   |
}
