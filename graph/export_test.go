package graph

// ArenaAndPeak are the size of the packed arena, and the least that it could be:
// the most bytes that live at one step.
func (p *Program) ArenaAndPeak() (arena, peak int) {
	live := map[*block]bool{}
	for _, s := range p.steps {
		for _, v := range append(s.in[:len(s.in):len(s.in)], s.out...) {
			if b := v.root().block; b != nil {
				live[b] = true
			}
		}
		if s.scratch != nil {
			live[s.scratch] = true
		}
	}
	for i := range p.steps {
		at := 0
		for b := range live {
			if b.first <= i && i <= b.last {
				at += b.bytes
			}
		}
		peak = max(peak, at)
	}
	return p.arena, peak
}
