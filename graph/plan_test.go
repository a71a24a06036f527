package graph

import (
	"math/rand/v2"
	"testing"
)

// Blocks that are needed at the same time never overlap, whatever they are, and the
// arena is not much larger than what is needed at the fullest step.
func TestPack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(60)
		blocks := make([]*block, n)
		for i := range blocks {
			first := rng.IntN(40) - 1
			blocks[i] = &block{bytes: rng.IntN(10000), first: first, last: first + rng.IntN(20)}
		}
		total := pack(blocks)
		for i, a := range blocks {
			if a.offset%arenaAlign != 0 || a.offset < 0 || a.offset+a.bytes > total {
				t.Fatalf("a block of %d bytes lies at %d in an arena of %d", a.bytes, a.offset, total)
			}
			for _, b := range blocks[:i] {
				together := a.first <= b.last && b.first <= a.last
				if together && a.offset < b.offset+b.bytes && b.offset < a.offset+a.bytes {
					t.Fatalf("blocks at %d and %d of %d and %d bytes overlap, and both are needed at once", a.offset, b.offset, a.bytes, b.bytes)
				}
			}
		}
		if least := fullest(blocks); total < least || total > least*5/4+arenaAlign*n {
			t.Errorf("%d blocks take %d bytes, of which %d are needed at once", n, total, least)
		}
	}
}
