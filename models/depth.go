package models

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed52467199/trainer/graph"
)

// Depths tells how deep in the network each parameter lies: 0 for what comes before the
// first block, then the number of the block, and one more than that of the last block for
// the classifier with its head, which is n-1. Blocks are told by the numbers in names,
// such as blocks.3, layer1.0, stages.2.blocks.5 or s1.b2: at most two. What stands in a
// stage beside its blocks counts to the first of them, and what follows the blocks to the
// last. Where names have no such numbers, each layer is a block.
func (m *Model) Depths(params []*graph.Param) (depth []int, n int) {
	depth = make([]int, len(params))
	blocks, layered := map[[2]int]int{}, map[string]int{}
	for i, p := range params {
		if m.inHead(p.Name) {
			depth[i] = -1
			continue
		}
		key, ok := blockOf(p.Name)
		switch at, known := blocks[key]; {
		case !ok:
			depth[i] = max(n-1, 0)
		case known:
			depth[i] = at
		default:
			if i > 0 && n == 0 {
				n = 1 // what came before
			}
			blocks[key], depth[i] = n, n
			n++
		}
	}
	if len(blocks) == 0 {
		for i, p := range params {
			if depth[i] < 0 {
				continue
			}
			if _, ok := layered[p.Layer()]; !ok {
				layered[p.Layer()] = n
				n++
			}
			depth[i] = layered[p.Layer()]
		}
	}
	for i := range depth {
		if depth[i] < 0 {
			depth[i] = n
		}
	}
	return depth, n + 1
}

// inHead tells whether a parameter is the classifier's or stands beside it, as head.norm
// beside head.fc.
func (m *Model) inHead(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(m.Config.Classifier, func(c string) bool {
		of, _, _ := strings.Cut(c, ".")
		return of == first
	})
}

// numbered are the parts of names that are numbered: modules in a list, and those that
// have the number in their name.
var numbered = map[string]bool{"layers": true, "layer": true, "stages": true, "stage": true, "blocks": true, "features": true,
	"s": true, "b": true, "denseblock": true, "denselayer": true}

// blockOf reads the numbers of the block that a parameter's name tells.
func blockOf(name string) (key [2]int, ok bool) {
	found, open := 0, false // whether a number alone may follow
	for part := range strings.SplitSeq(name, ".") {
		word := strings.TrimRight(part, "0123456789")
		number, err := strconv.Atoi(part[len(word):])
		switch {
		case word == "" && !open, word != "" && !numbered[word]:
			open = false
			continue
		case err != nil: // the list, whose number follows
			open = true
			continue
		}
		key[found] = number
		open = true
		if found++; found == len(key) {
			break
		}
	}
	return key, found > 0
}
