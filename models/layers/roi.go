package layers

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// RoIConfig is what pooling of regions of interest needs beyond its input.
type RoIConfig struct {
	// H and W are those of a pooled region, in bins.
	H, W int
	// Scale makes pixels of the map of the regions' units, such as 1/16 where these are an
	// image's pixels and the map has a stride of 16. 0 means 1.
	Scale float64
	// Samples is their number each way in a bin (torchvision's sampling_ratio); 0 means as
	// many as the bin has pixels.
	Samples int
	// Unaligned leaves out the shift by half a pixel and makes regions at least a pixel
	// wide and high: torchvision's aligned=False, its default.
	Unaligned bool
}

// DeformRoIConfig is what deformable pooling needs beyond its input.
type DeformRoIConfig struct {
	RoIConfig
	// Gamma is what part of a region's size an offset of 1 is; 0 means 0.1.
	Gamma float64
	// Hidden is the width of the layers that find offsets and masks; 0 means 1024.
	Hidden int
}

// RoIPool pools regions of a map.
type RoIPool struct {
	plain, pool   op.RoIAlign
	offsets, mask graph.Module // nil without
}

// NewRoIAlign is bilinear pooling (He et al., arXiv 1703.06870), as torchvision.ops.roi_align:
// a region of H x W bins is cut out of the map, and a bin is the mean of samples that lie
// evenly in it. It has no parameters.
func NewRoIAlign(c RoIConfig) *RoIPool {
	pool := op.RoIAlign{PooledH: c.H, PooledW: c.W, Scale: cmp.Or(c.Scale, 1), Samples: c.Samples, Aligned: !c.Unaligned}
	return &RoIPool{plain: pool, pool: pool}
}

// NewDeformRoIPool declares deformable pooling (Dai et al., arXiv 1703.06211), as mmcv's
// DeformRoIPoolPack: of a region that is pooled plainly, three linear layers, offset_fc,
// find how far each bin moves to the right and down, in parts of the region's size times
// Gamma, and the region is pooled again:
//
//	y(i, j) = mean over samples p of bin (i, j) of x(p + Gamma * (w * dx(i, j), h * dy(i, j)))
//
// The last layer starts at zero. Maps have so many channels.
func NewDeformRoIPool(s graph.Scope, channels int, c DeformRoIConfig) *RoIPool {
	m := NewRoIAlign(c.RoIConfig)
	m.pool.Offsets, m.pool.Gamma = true, cmp.Or(c.Gamma, 0.1)
	hidden := cmp.Or(c.Hidden, 1024)
	if c.H < 1 || c.W < 1 {
		s.Fail(fmt.Errorf("%s: regions of %dx%d bins; there should be at least one each way", s.Name("offset_fc"), c.H, c.W))
		return m
	}
	m.offsets = regionLayers(s.Sub("offset_fc"), c.RoIConfig, channels, hidden, hidden, 2*c.H*c.W)
	return m
}

// NewModulatedDeformRoIPool declares deformable pooling with masks (Zhu et al., arXiv
// 1811.11168, 3.2), as mmcv's ModulatedDeformRoIPoolPack: two more layers, mask_fc, find
// for each bin what it is multiplied by, of which the logistic function counts. They start
// at a half.
func NewModulatedDeformRoIPool(s graph.Scope, channels int, c DeformRoIConfig) *RoIPool {
	m := NewDeformRoIPool(s, channels, c)
	if m.offsets == nil { // refused
		return m
	}
	m.pool.Mask = true
	m.mask = regionLayers(s.Sub("mask_fc"), c.RoIConfig, channels, cmp.Or(c.Hidden, 1024), c.H*c.W)
	return m
}

// regionLayers are linear layers of these widths over pooled regions, with relu between
// them; the last starts at zero. Files number them with the activations.
func regionLayers(s graph.Scope, c RoIConfig, channels int, widths ...int) graph.Module {
	all := graph.Sequential{Flatten}
	in := channels * c.H * c.W
	for i, out := range widths {
		var l graph.LinearConfig
		if i == 0 {
			l.MapH, l.MapW = c.H, c.W
		} else {
			all = append(all, Act(op.ReLU)(s, in))
		}
		if i == len(widths)-1 {
			l.Init, l.BiasInit = graph.Zeros, graph.Zeros
		}
		all = append(all, graph.NewLinear(s.Sub(strconv.Itoa(2*i)), in, out, l))
		in = out
	}
	return all
}

// Forward pools regions rois (K, 5) of x (N, H, W, C), each the number of its image and
// x1, y1, x2, y2: (K, H, W, C) with the configuration's H and W. A region of an image that
// there is not is zero. Regions have no gradient.
func (m *RoIPool) Forward(g *graph.Graph, x, rois *graph.Node) *graph.Node {
	y := g.Apply(m.plain, x, rois)
	if m.offsets == nil || y == nil {
		return y
	}
	k := y.Shape()[0]
	in := []*graph.Node{x, rois, g.Reshape(m.offsets.Forward(g, y), k, 2, m.pool.PooledH, m.pool.PooledW)}
	if m.mask != nil {
		mask := g.Activation(m.mask.Forward(g, y), op.Sigmoid)
		in = append(in, g.Reshape(mask, k, m.pool.PooledH, m.pool.PooledW))
	}
	return g.Apply(m.pool, in...)
}
