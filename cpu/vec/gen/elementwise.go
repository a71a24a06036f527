package main

// elementwise is a kernel over slices of the length of y: one result a vector,
// from the vectors of the inputs in the order of their names.
func elementwise(name, doc, params string, inputs []string, f func(k *kernel, scalars []vector, x []vector) vector) definition {
	return definition{name, doc, params, func(k *kernel) {
		n, y := k.length("y"), k.pointer("y")
		in := k.pointers(inputs)
		scalars := k.scalars(params)
		k.each(n, 4, func() { k.store(f(k, scalars, k.loads(in)), y) })
	}}
}

var elementwiseKernels = []definition{
	elementwise("add", "is y = a + b.", "y, a, b []float32", []string{"a", "b"},
		func(k *kernel, _, x []vector) vector { return k.add(x[0], x[1]) }),
	elementwise("sub", "is y = a - b.", "y, a, b []float32", []string{"a", "b"},
		func(k *kernel, _, x []vector) vector { return k.sub(x[0], x[1]) }),
	elementwise("mul", "is y = a * b.", "y, a, b []float32", []string{"a", "b"},
		func(k *kernel, _, x []vector) vector { return k.mul(x[0], x[1]) }),
	elementwise("mulAdd", "is y += a * b.", "y, a, b []float32", []string{"a", "b", "y"},
		func(k *kernel, _, x []vector) vector { return k.fma(x[0], x[1], x[2]) }),
	elementwise("addClip", "is y = a+b, limited to lo..hi.", "y, a, b []float32, lo, hi float32", []string{"a", "b"},
		func(k *kernel, s, x []vector) vector { return k.bounded(k.add(x[0], x[1]), s) }),
	elementwise("relu", "is y = max(x, 0).", "y, x []float32", []string{"x"},
		func(k *kernel, _, x []vector) vector { return k.max(k.zero(), x[0]) }),
	elementwise("reluGrad", "is y = dy where out > 0, else 0.", "y, dy, out []float32", []string{"dy", "out"},
		func(k *kernel, _, x []vector) vector { return k.keep(k.compare(x[1], greater, k.zero()), x[0]) }),
	elementwise("scale", "is y = s * x.", "y, x []float32, s float32", []string{"x"},
		func(k *kernel, s, x []vector) vector { return k.mul(x[0], s[0]) }),
	elementwise("affine", "is y = s*x + t.", "y, x []float32, s, t float32", []string{"x"},
		func(k *kernel, s, x []vector) vector { return k.fma(x[0], s[0], s[1]) }),
	elementwise("axpy", "is y += s * x.", "y, x []float32, s float32", []string{"x", "y"},
		func(k *kernel, s, x []vector) vector { return k.fma(x[0], s[0], x[1]) }),
	elementwise("lerp", "is y += s * (x-y).", "y, x []float32, s float32", []string{"x", "y"},
		func(k *kernel, s, x []vector) vector { return k.fma(k.sub(x[0], x[1]), s[0], x[1]) }),
	elementwise("fill", "is y = s.", "y []float32, s float32", nil,
		func(k *kernel, s, _ []vector) vector { return s[0] }),
	elementwise("exp", "is y = e^x.", "y, x []float32", []string{"x"},
		func(k *kernel, _, x []vector) vector { return k.exp(x[0]) }),
	elementwise("log", "is y = log(x).", "y, x []float32", []string{"x"},
		func(k *kernel, _, x []vector) vector { return k.log(x[0]) }),
}
