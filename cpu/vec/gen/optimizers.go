package main

// update is a kernel that makes new values of the first slices named, in
// place: f gets a vector of each slice and returns the new values in the same
// order. Its coefficients stand behind the pointer p and are read when needed,
// for they are many and registers are few.
func update(name, doc string, slices []string, f func(k *kernel, p func(i int) vector, x []vector) []vector) definition {
	params := list(slices, []string{"p"}) + " []float32"
	return definition{name, doc, params, func(k *kernel) {
		n, in, table := k.length(slices[0]), k.pointers(slices), k.pointer("p")
		p := func(i int) vector { return k.field(table, i) }
		k.each(n, 1, func() {
			for i, v := range f(k, p, k.loads(in)) {
				k.store(v, in[i])
			}
		})
	}}
}

// The coefficients of the SGD kernels, in the order of vec.SGD's table.
const (
	sgdGradScale = iota
	sgdDecay
	sgdLR
	sgdMomentum
	sgdDamped // 1 - dampening
	sgdDirect // how much of the gradient, beside
	sgdBuffer // how much of the buffer, makes the step
)

// The coefficients of the Adam kernels, in the order of vec.Adam's table.
const (
	adamGradScale = iota
	adamL2        // weight decay added to the gradient
	adamKeep      // 1 - lr*decay: weight decay beside the gradient
	adamMean      // 1 - beta1
	adamBeta2
	adamSquare   // 1 - beta2
	adamStep     // lr / (1-beta1^t), or the latter part alone
	adamRootBias // 1 / sqrt(1-beta2^t)
	adamEps
	adamDecay // of the direction: weight decay added to the update
)

// adamMoments returns the new moments, of a gradient that is scaled already,
// and m / (sqrt(v)*rootBias + eps).
func adamMoments(k *kernel, p func(int) vector, m, v, g vector) (newM, newV, direction vector) {
	newM = k.fma(k.sub(g, m), p(adamMean), m)
	newV = k.fma(k.mul(g, g), p(adamSquare), k.mul(v, p(adamBeta2)))
	return newM, newV, k.div(newM, k.fma(k.sqrt(newV), p(adamRootBias), p(adamEps)))
}

// The coefficients of the Lion kernel, in the order of vec.Lion's table.
const (
	lionGradScale = iota
	lionKeep      // 1 - lr*decay
	lionSign      // 1 - beta1
	lionMean      // 1 - beta2
	lionLR
)

// The coefficients of the RMSprop kernels, in the order of vec.RMSProp's table.
const (
	rmsGradScale = iota
	rmsDecay
	rmsSquare // 1 - alpha
	rmsEps
	rmsLR
	rmsMomentum
)

// rmsStep returns the new mean square and lr*d/sqrt(v+eps).
func rmsStep(k *kernel, p func(int) vector, w, v, g vector) (newV, step vector) {
	g = k.fma(w, p(rmsDecay), k.mul(g, p(rmsGradScale)))
	newV = k.fma(k.sub(k.mul(g, g), v), p(rmsSquare), v)
	return newV, k.div(k.mul(g, p(rmsLR)), k.sqrt(k.add(newV, p(rmsEps))))
}

var optimizerKernels = []definition{
	update("sgd", "is w -= lr*(g*scale + decay*w).", []string{"w", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			w, g := x[0], x[1]
			g = k.fma(w, p(sgdDecay), k.mul(g, p(sgdGradScale)))
			return []vector{k.fnma(g, p(sgdLR), w)}
		}),
	update("sgdMomentumStep", "is sgd with a momentum buffer.", []string{"w", "buf", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			w, buf, g := x[0], x[1], x[2]
			g = k.fma(w, p(sgdDecay), k.mul(g, p(sgdGradScale)))
			buf = k.fma(g, p(sgdDamped), k.mul(buf, p(sgdMomentum)))
			step := k.fma(buf, p(sgdBuffer), k.mul(g, p(sgdDirect)))
			return []vector{k.fnma(step, p(sgdLR), w), buf}
		}),
	update("adam", "is one step of Adam or AdamW.", []string{"w", "m", "v", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			g := k.fma(x[0], p(adamL2), k.mul(x[3], p(adamGradScale)))
			m, v, direction := adamMoments(k, p, x[1], x[2], g)
			w := k.fnma(direction, p(adamStep), k.mul(x[0], p(adamKeep)))
			return []vector{w, m, v}
		}),
	update("nadam", "is adam with Nesterov's momentum.", []string{"w", "m", "v", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			g := k.fma(x[0], p(adamL2), k.mul(x[3], p(adamGradScale)))
			m, v, _ := adamMoments(k, p, x[1], x[2], g)
			ahead := k.fma(k.sub(g, m), p(adamMean), m)
			direction := k.div(ahead, k.fma(k.sqrt(v), p(adamRootBias), p(adamEps)))
			w := k.fnma(direction, p(adamStep), k.mul(x[0], p(adamKeep)))
			return []vector{w, m, v}
		}),
	update("adamWeights", "is adam's step of the weights alone, by moments that are new already.", []string{"w", "m", "v"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			direction := k.div(x[1], k.fma(k.sqrt(x[2]), p(adamRootBias), p(adamEps)))
			return []vector{k.fnma(direction, p(adamStep), k.mul(x[0], p(adamKeep)))}
		}),
	update("lion", "is one step of Lion.", []string{"w", "m", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			change := k.sub(k.mul(x[2], p(lionGradScale)), x[1])
			ahead := k.fma(change, p(lionSign), x[1])
			step := k.keep(k.compare(ahead, differs, k.zero()), k.or(k.and(ahead, k.bits(0x80000000)), p(lionLR)))
			return []vector{k.sub(k.mul(x[0], p(lionKeep)), step), k.fma(change, p(lionMean), x[1])}
		}),
	update("rmsprop", "is one step of TensorFlow's RMSprop.", []string{"w", "v", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			v, step := rmsStep(k, p, x[0], x[1], x[2])
			return []vector{k.sub(x[0], step), v}
		}),
	update("rmspropMomentum", "is rmsprop with a momentum buffer.", []string{"w", "v", "buf", "g"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			v, step := rmsStep(k, p, x[0], x[1], x[3])
			buf := k.fma(x[2], p(rmsMomentum), step)
			return []vector{k.sub(x[0], buf), v, buf}
		}),
	update("adamDirection", "is u = the step of Adam for lr 1, with weight decay added.", []string{"u", "m", "v", "g", "w"},
		func(k *kernel, p func(int) vector, x []vector) []vector {
			m, v, direction := adamMoments(k, p, x[1], x[2], k.mul(x[3], p(adamGradScale)))
			return []vector{k.fma(direction, p(adamStep), k.mul(x[4], p(adamDecay))), m, v}
		}),
}
