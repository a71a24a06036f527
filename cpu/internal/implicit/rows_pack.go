package implicit

// pack lays one panel of a group's weights out as the micro-kernel reads
// them: by pass, then panel, then term, NR columns side by side, zeros where
// the last panel has fewer.
func (j *rowsJob) pack(group, panel int) {
	nr := j.kernel.NR
	first := panel * nr
	columns := min(nr, j.Out.Channels-first)
	w := j.w[group*j.Weights.Group+first*j.N:]
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
				dst := j.packed[(group*j.terms()+p.first)*j.panels*nr+(panel*p.terms()+at)*nr:][:n*nr]
				packTerms(dst, w[h+v+k*j.K:], n, columns, nr, j.K, j.N)
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

// packTerms writes n terms of nr columns each, of which columns exist. Terms
// are stepK apart in w, columns stepN.
func packTerms(dst, w []float32, n, columns, nr, stepK, stepN int) {
	if columns < nr {
		clear(dst)
	}
	if stepN == 1 {
		for k := range n {
			copy(dst[k*nr:][:columns], w[k*stepK:])
		}
		return
	}
	for c := range columns {
		column := w[c*stepN:][:n]
		for k, v := range column {
			dst[k*nr+c] = v
		}
	}
}
