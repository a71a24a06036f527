package implicit

// pack lays one panel of a group's weights out as the micro-kernel reads
// them: by pass, then panel, then term, NR columns side by side, zeros where
// the last panel has fewer.
func (j *rowsJob) pack(group, panel int) {
	j.eachRun(j.packed, j.w, group, panel, 1, func(dst, w []float32, n, columns int) {
		j.packTerms(dst, w, n, columns)
	})
}

// eachRun calls f for each run of neighbouring terms of one panel: with their place
// in packed, where the first one's weights begin, their number and that of the
// columns that exist. A term is so many source channels.
func (j *Rows) eachRun(packed, weights []float32, group, panel, channels int, f func(dst, w []float32, n, columns int)) {
	nr := j.kernel.NR
	first := panel * nr
	columns := min(nr, j.Out.Channels-first)
	w := weights[group*j.Weights.Group+first*j.N:]
	depth := j.Channels
	if j.Lanes {
		depth = 1
	}
	term := 0 // of the group's whole sum
	for _, h := range j.TapH {
		for _, v := range j.TapW {
			for k := 0; k < depth; {
				p, at := j.passOf(term)
				n := min(depth-k, p.first+p.terms()-term)
				dst := packed[(group*j.terms()+p.first)*j.panels*nr+(panel*p.terms()+at)*nr:][:n*nr]
				f(dst, w[h+v+k*channels*j.K:], n, columns)
				k += n
				term += n
			}
		}
	}
}

// passOf finds the pass of a term, and the term's place in it.
func (p *Rows) passOf(term int) (*pass, int) {
	for i := range p.passes {
		q := &p.passes[i]
		if term < q.first+q.terms() {
			return q, term - q.first
		}
	}
	panic("implicit: a term lies in no pass")
}

// packTerms writes n terms of NR columns each, of which columns exist.
func (p *Rows) packTerms(dst, w []float32, n, columns int) {
	nr := p.kernel.NR
	if columns < nr {
		clear(dst)
	}
	if p.N != 1 {
		p.set.Transpose(dst, nr, w, p.N, columns, n)
		return
	}
	for k := range n {
		copy(dst[k*nr:][:columns], w[k*p.K:])
	}
}
