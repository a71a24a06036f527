package onnx

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

func (t *translation) concat(s graph.Traced, o op.Concat) error {
	order := t.preferred(s.In)
	names := make([]string, len(s.In))
	for i, v := range s.In {
		names[i] = t.use(v, order)
	}
	t.made(s.Out[0], order, t.add("Concat", "", names, "", attributes{"axis": axis(o.Axis, len(s.Out[0].Shape), order)}))
	return nil
}

func (t *translation) slice(s graph.Traced, o op.Slice) error {
	if o.Axis == 0 {
		return fmt.Errorf("a part of the batch has no translation")
	}
	order := t.preferred(s.In[:1])
	at := axis(o.Axis, len(s.In[0].Shape), order)
	in := []string{t.use(s.In[0], order), t.ints(o.Start), t.ints(o.End), t.ints(at), t.ints(max(1, o.Stride))}
	t.made(s.Out[0], order, t.add("Slice", "", in, "", nil))
	return nil
}

// pad writes what puts a value among zeros.
func (t *translation) pad(s graph.Traced, o op.SliceGrad) error {
	if o.Stride > 1 {
		return fmt.Errorf("zeros between values have no translation")
	}
	order, axes := t.preferred(s.In[:1]), len(s.In[0].Shape)
	pads := make([]int, 2*axes)
	at := axis(o.Axis, axes, order)
	pads[at], pads[axes+at] = o.Start, o.Size-o.End
	t.made(s.Out[0], order, t.add("Pad", "", []string{t.use(s.In[0], order), t.ints(pads...)}, "", nil))
	return nil
}

// broadcast stretches a value; a stretch of the first axis is one to the batch.
func (t *translation) broadcast(s graph.Traced, o op.BroadcastTo) error {
	x := s.In[0]
	rest := t.ints(o.Shape[1:]...)
	if len(x.Shape) != len(o.Shape) || x.Shape[0] != 1 || o.Shape[0] != traceBatch {
		return fmt.Errorf("broadcast_to from %v to %v has no translation", x.Shape, o.Shape)
	}
	batch := t.add("Shape", "", []string{t.file.input.name}, "", attributes{"start": 0, "end": 1})
	shape := t.add("Concat", "", []string{batch, rest}, "", attributes{"axis": 0})
	t.made(s.Out[0], asIs, t.add("Expand", "", []string{t.use(x, asIs), shape}, "", nil))
	return nil
}

// gather takes rows; for zeros there is one more row.
func (t *translation) gather(s graph.Traced, o op.Gather) error {
	x := t.use(s.In[0], asIs)
	axes := len(s.In[0].Shape)
	rows := s.In[0].Shape[axes-2]
	index := make([]int, len(o.Index))
	padded := false
	for i, r := range o.Index {
		if r < 0 {
			padded, r = true, rows
		}
		index[i] = r
	}
	if padded {
		pads := make([]int, 2*axes)
		pads[2*axes-2] = 1
		x = t.add("Pad", "", []string{x, t.ints(pads...)}, "", nil)
	}
	t.made(s.Out[0], asIs, t.add("Gather", "", []string{x, t.ints(index...)}, "", attributes{"axis": axes - 2}))
	return nil
}
