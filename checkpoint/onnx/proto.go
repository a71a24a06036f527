package onnx

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/seed52467199/trainer/checkpoint"
)

// The messages of onnx.proto that are written, each with the fields that are used.

const (
	typeFloat = 1 // of TensorProto.DataType
	typeInt64 = 7

	attributeFloat  = 1 // of AttributeProto.AttributeType
	attributeInt    = 2
	attributeString = 3
	attributeInts   = 7
)

// message is an encoded message under construction.
type message []byte

func (m *message) bytes(field protowire.Number, v []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), v)
}

func (m *message) text(field protowire.Number, v string) { m.bytes(field, []byte(v)) }

func (m *message) int(field protowire.Number, v int64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(v))
}

func (m *message) float(field protowire.Number, v float32) {
	*m = protowire.AppendFixed32(protowire.AppendTag(*m, field, protowire.Fixed32Type), math.Float32bits(v))
}

// tensor is a constant: of float32, or of int64 where ints is not nil.
type tensor struct {
	name   string
	dims   []int
	floats []float32
	ints   []int64
}

func (t tensor) encode() message {
	var m message
	for _, d := range t.dims {
		m.int(1, int64(d))
	}
	var raw []byte
	if t.ints != nil {
		m.int(2, typeInt64)
		for _, v := range t.ints {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	} else {
		m.int(2, typeFloat)
		raw = checkpoint.AppendFloat32s(nil, t.floats)
	}
	m.text(8, t.name)
	m.bytes(9, raw)
	return m
}

// attributes are those of a node: int, float64, string or []int.
type attributes map[string]any

// node is an operation.
type node struct {
	kind    string
	name    string
	in, out []string
	attrs   attributes
}

func (n node) encode() message {
	var m message
	for _, v := range n.in {
		m.text(1, v)
	}
	for _, v := range n.out {
		m.text(2, v)
	}
	m.text(3, n.name)
	m.text(4, n.kind)
	for _, name := range slices.Sorted(maps.Keys(n.attrs)) {
		var a message
		a.text(1, name)
		switch v := n.attrs[name].(type) {
		case int:
			a.int(3, int64(v))
			a.int(20, attributeInt)
		case float64:
			a.float(2, float32(v))
			a.int(20, attributeFloat)
		case string:
			a.text(4, v)
			a.int(20, attributeString)
		case []int:
			for _, i := range v {
				a.int(8, int64(i))
			}
			a.int(20, attributeInts)
		}
		m.bytes(5, a)
	}
	return m
}

// port is an input or result of the network. A dimension of 0 is the batch.
type port struct {
	name string
	dims []int
}

func (p port) encode() message {
	var shape, kind, value, m message
	for _, d := range p.dims {
		var dim message
		if d == 0 {
			dim.text(2, "batch")
		} else {
			dim.int(1, int64(d))
		}
		shape.bytes(1, dim)
	}
	kind.int(1, typeFloat)
	kind.bytes(2, shape)
	value.bytes(1, kind)
	m.text(1, p.name)
	m.bytes(2, value)
	return m
}

// model is a whole file.
type model struct {
	name, producer, version string
	nodes                   []node
	constants               []tensor
	input, output           port
	metadata                map[string]string
	opset                   int
}

// irVersion is the format's version in which an opset came.
func irVersion(opset int) int64 {
	switch {
	case opset >= 21:
		return 10
	case opset >= 19:
		return 9
	}
	return 8
}

func (f *model) encode() []byte {
	var g message
	for _, n := range f.nodes {
		g.bytes(1, n.encode())
	}
	g.text(2, f.name)
	for _, t := range f.constants {
		g.bytes(5, t.encode())
	}
	g.bytes(11, f.input.encode())
	g.bytes(12, f.output.encode())
	var domain, m message
	domain.text(1, "")
	domain.int(2, int64(f.opset))
	m.int(1, irVersion(f.opset))
	m.text(2, f.producer)
	m.text(3, f.version)
	m.bytes(7, g)
	m.bytes(8, domain)
	for _, key := range slices.Sorted(maps.Keys(f.metadata)) {
		var entry message
		entry.text(1, key)
		entry.text(2, f.metadata[key])
		m.bytes(14, entry)
	}
	return m
}
