package graph

import (
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// Layout says how files hold a parameter. In memory it has the order that the
// kernels like; in files it has PyTorch's. The zero Layout means both agree.
type Layout struct {
	// axes is the memory shape with some axes split; perm lists them in file
	// order; file is the shape there.
	axes, perm []int
	file       Shape
}

// ConvLayout is that of a convolution's weight: (KH, KW, C/groups, K) in memory,
// (K, C/groups, KH, KW) in files.
func ConvLayout(mem Shape) Layout {
	return Layout{axes: mem, perm: []int{3, 2, 0, 1}, file: Shape{mem[3], mem[2], mem[0], mem[1]}}
}

// LinearLayout is that of a linear layer's weight: (in, out) in memory, (out, in)
// in files.
func LinearLayout(mem Shape) Layout {
	return Layout{axes: mem, perm: []int{1, 0}, file: Shape{mem[1], mem[0]}}
}

// ShapedLayout is that of a parameter whose elements files have in the same order,
// under another shape.
func ShapedLayout(mem, file Shape) Layout {
	perm := make([]int, len(mem))
	for i := range perm {
		perm[i] = i
	}
	return Layout{axes: mem, perm: perm, file: file}
}

// TransposedConvLayout is ConvLayout for a kernel whose height files call its width.
func TransposedConvLayout(mem Shape) Layout {
	return Layout{axes: mem, perm: []int{3, 2, 1, 0}, file: Shape{mem[3], mem[2], mem[1], mem[0]}}
}

// FlattenedLinearLayout is that of a linear layer over a flattened map of height
// h and width w: files count its inputs channel by channel (C, H, W), memory
// position by position (H, W, C).
func FlattenedLinearLayout(mem Shape, h, w int) Layout {
	c := mem[0] / (h * w)
	return Layout{axes: []int{h, w, c, mem[1]}, perm: []int{3, 2, 0, 1}, file: Shape{mem[1], mem[0]}}
}

// FileShape is the shape that files give a parameter of shape mem.
func (l Layout) FileShape(mem Shape) Shape {
	if l.perm == nil {
		return mem
	}
	return l.file
}

// walk calls visit with the position in the file and in memory of each element.
func (l Layout) walk(mem Shape, visit func(file, mem int)) {
	if l.perm == nil {
		for i := range op.Size(mem) {
			visit(i, i)
		}
		return
	}
	stride := make([]int, len(l.axes))
	n := 1
	for i := len(l.axes) - 1; i >= 0; i-- {
		stride[i] = n
		n *= l.axes[i]
	}
	index := make([]int, len(l.perm))
	at := 0
	for f := range n {
		visit(f, at)
		for i := len(l.perm) - 1; i >= 0; i-- {
			a := l.perm[i]
			index[i]++
			at += stride[a]
			if index[i] < l.axes[a] {
				break
			}
			at -= index[i] * stride[a]
			index[i] = 0
		}
	}
}

// split is the layout with every axis of the file made of whole axes of memory: their
// extents in memory, their order in the file, and the axis of the file that each is of.
func (l Layout) split(mem Shape) (axes, perm, owner []int) {
	axes, perm = l.axes, l.perm
	if l.perm == nil || slices.IsSorted(l.perm) { // the order is the file's, and so are the axes
		axes, perm = l.FileShape(mem), nil
		for i := range axes {
			perm = append(perm, i)
		}
	}
	file := l.FileShape(mem)
	owner = make([]int, len(axes))
	at, size := 0, 1
	for _, a := range perm {
		owner[a] = min(at, len(file)-1)
		if size *= axes[a]; at < len(file) && size == file[at] {
			at, size = at+1, 1
		}
	}
	return axes, perm, owner
}

// Axes are the extents of a parameter's memory, cut so that each belongs to one axis of
// its shape in files, and these axes.
func (p *Param) Axes() (extents, file []int) {
	extents, _, file = p.Layout.split(p.Shape)
	return extents, file
}

// Without is the shape in memory and the layout of values like a parameter's with one
// axis of the file left out, such as means over it. The order of the others stays.
func (p *Param) Without(axis int) (Shape, Layout) {
	axes, perm, owner := p.Layout.split(p.Shape)
	file := p.FileShape()
	shape, l := Shape{}, Layout{file: append(slices.Clone(file[:axis]), file[axis+1:]...)}
	place := make([]int, len(axes)) // of the axes that stay
	for a, n := range axes {
		if owner[a] != axis {
			place[a] = len(shape)
			shape = append(shape, n)
		}
	}
	l.axes = shape
	for _, a := range perm {
		if owner[a] != axis {
			l.perm = append(l.perm, place[a])
		}
	}
	return shape, l
}
