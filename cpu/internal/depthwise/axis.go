package depthwise

// Axis is how the places of the result along rows or along columns meet those of
// the source.
type Axis struct {
	source int
	places [][]tap
}

// tap is a tap of the filter and the place of the source that it meets.
type tap struct{ tap, at int }

// Forward is an axis of a forward convolution: places of the output over size
// places of the input.
func Forward(places, size, taps, stride, pad, dilation int) Axis {
	a := Axis{size, make([][]tap, places)}
	for i := range a.places {
		for k := range taps {
			if at := i*stride + k*dilation - pad; at >= 0 && at < size {
				a.places[i] = append(a.places[i], tap{k, at})
			}
		}
	}
	return a
}

// Turned is an axis of the input gradient of such a convolution: places of the
// input over size places of the output.
func Turned(places, size, taps, stride, pad, dilation int) Axis {
	a := Axis{size, make([][]tap, places)}
	for i := range a.places {
		for k := taps - 1; k >= 0; k-- {
			if at := i + pad - k*dilation; at >= 0 && at%stride == 0 && at/stride < size {
				a.places[i] = append(a.places[i], tap{k, at / stride})
			}
		}
	}
	return a
}

// run is places of a result that meet the source alike: each step places after
// the one before, and in the source each advance places further on.
type run struct {
	first, step, n int
	from, advance  int   // source place of the first tap of the first place
	taps           []tap // places of the source count from that of the first tap
}

// runs are the runs that all places fall into, in the order of their first ones.
// Each is as long as it can be.
func (a Axis) runs() (runs []run) {
	for i, taps := range a.places {
		at := 0
		if len(taps) > 0 {
			at = taps[0].at
		}
		r := continued(runs, i, at, taps)
		if r == nil {
			runs = append(runs, run{first: i, step: 1, n: 1, from: at, taps: relative(taps, at)})
			continue
		}
		if r.n == 1 {
			r.step, r.advance = i-r.first, at-r.from
		}
		r.n++
	}
	return runs
}

// continued is the latest run that place i continues, nil where there is none.
func continued(runs []run, i, at int, taps []tap) *run {
	for k := len(runs) - 1; k >= 0; k-- {
		r := &runs[k]
		if !alike(r.taps, taps, at) {
			continue
		}
		if r.n == 1 || i == r.first+r.n*r.step && at == r.from+r.n*r.advance {
			return r
		}
		return nil
	}
	return nil
}

func relative(taps []tap, at int) []tap {
	r := make([]tap, len(taps))
	for i, t := range taps {
		r[i] = tap{t.tap, t.at - at}
	}
	return r
}

func alike(r, taps []tap, at int) bool {
	if len(r) != len(taps) {
		return false
	}
	for i, t := range taps {
		if r[i] != (tap{t.tap, t.at - at}) {
			return false
		}
	}
	return true
}
