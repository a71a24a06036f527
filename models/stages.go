package models

import (
	"fmt"

	"github.com/seed52467199/trainer/models/layers"
)

// checkStages refuses a network whose stages are not all told of: depths are the numbers of
// their blocks, and what is said of each, such as widths, is others.
func checkStages(network string, depths []int, what string, others []int) error {
	if len(depths) == 0 || len(depths) != len(others) {
		return fmt.Errorf("%s: %d depths and %d %s; each stage should have one of both", network, len(depths), len(others), what)
	}
	return nil
}

// eachBlock calls declare for each block of stages of so many, in turn: with the stage and
// the block's place in it, both counted from 0, and the probability of leaving its branch
// out where that of the last one is dropPath.
func eachBlock(depths []int, dropPath float64, declare func(stage, k int, dropPath float64)) {
	blocks, index := 0, 0
	for _, depth := range depths {
		blocks += depth
	}
	for i, depth := range depths {
		for k := range depth {
			declare(i, k, layers.DropPathRate(dropPath, index, blocks))
			index++
		}
	}
}

// strideOf is that of a block where the first one of each stage halves the map.
func strideOf(k int) int {
	if k == 0 {
		return 2
	}
	return 1
}

// laterStride is strideOf where the first stage keeps the map.
func laterStride(stage, k int) int {
	if stage == 0 {
		return 1
	}
	return strideOf(k)
}

// patchesPerSide is the number of patches of so many pixels along the side of an image.
func patchesPerSide(size, patch int) (int, error) {
	if size%patch != 0 {
		return 0, fmt.Errorf("images of %dx%d pixels do not divide into patches of %dx%d; the size should be a multiple of %d", size, size, patch, patch, patch)
	}
	return size / patch, nil
}
