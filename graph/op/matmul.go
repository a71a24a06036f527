package op

import "fmt"

// MatMul is the product of matrices a (..., M, K) and b (..., K, N), for each place of
// the leading axes, which both have or one has not: (..., M, N). With TransA the last two
// axes of a, with TransB those of b, are the other way round.
type MatMul struct{ TransA, TransB bool }

// Kind implements Op.
func (MatMul) Kind() string { return "matmul" }

// Sizes are the rows, columns and terms of each product, and the number of products.
func (o MatMul) Sizes(a, b Shape) (m, n, k, products int) {
	m, k, n = a[len(a)-2], a[len(a)-1], b[len(b)-1]
	if o.TransA {
		m, k = k, m
	}
	if o.TransB {
		n = b[len(b)-2]
	}
	return m, n, k, max(Size(a[:len(a)-2]), Size(b[:len(b)-2]))
}

// Infer implements Op.
func (o MatMul) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 2 || len(in[0]) < 2 || len(in[1]) < 2 {
		return nil, fmt.Errorf("matmul: inputs %v, want two of matrices", in)
	}
	a, b := in[0], in[1]
	leading := a[:len(a)-2]
	if len(leading) == 0 {
		leading = b[:len(b)-2]
	}
	for _, s := range in {
		if s = s[:len(s)-2]; len(s) > 0 && !s.Eq(leading) {
			return nil, fmt.Errorf("matmul: %v and %v have different leading axes", a, b)
		}
	}
	m, n, k, _ := o.Sizes(a, b)
	inner := b[len(b)-2]
	if o.TransB {
		inner = b[len(b)-1]
	}
	if inner != k {
		return nil, fmt.Errorf("matmul: %v and %v have %d and %d terms to add", a, b, k, inner)
	}
	return []Shape{append(leading.Clone(), m, n)}, nil
}

// Work implements Op.
func (o MatMul) Work(in, out []Shape) Work {
	_, _, k, _ := o.Sizes(in[0], in[1])
	return traffic(2*int64(Size(out[0]))*int64(k), in, out)
}

// Diff implements Differentiable.
func (o MatMul) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	a, b := in[0], in[1]
	// Each gradient is a product, too.
	type product struct {
		MatMul
		a, b *Node
	}
	da, db := product{MatMul{false, !o.TransB}, dy, b}, product{MatMul{!o.TransA, false}, a, dy}
	if o.TransA {
		da = product{MatMul{o.TransB, true}, b, dy}
	}
	if o.TransB {
		db = product{MatMul{true, o.TransA}, dy, a}
	}
	grads := make([]*Node, 2)
	for i, p := range []product{da, db} {
		full, err := Apply(p.MatMul, p.a, p.b)
		if err != nil {
			return nil, err
		}
		if grads[i], err = sumTo(full, in[i].Shape()); err != nil {
			return nil, err
		}
	}
	return grads, nil
}
