package train

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
)

// ChannelStats tells how a layer's activation uses its channels over a data set.
type ChannelStats struct {
	// Layer is the convolution, linear layer or norm before the activation, Activation
	// the function.
	Layer, Activation string
	// Channels is their number, Dead lists those that are zero at every position of
	// every image.
	Channels int
	Dead     []int
	// Correlation is the mean magnitude of the correlation coefficients of all pairs of
	// channels that vary, at sampled positions; 0 where there is no pair. Layers of more
	// than maxCorrelated channels are judged by as many, evenly spaced.
	Correlation float64
}

const (
	maxCorrelated  = 256 // channels of a layer of which pairs are compared
	positionsImage = 16  // positions of an image that are sampled
)

// Channels runs a network over a loader's images and tells of each activation in it, in
// the order of computation. The seed draws the positions.
func Channels(ctx context.Context, n *Network, loader *data.Loader, seed uint64) ([]ChannelStats, error) {
	var tallies []*channelTally
	rigs := map[int]*channelRig{}
	it := loader.Epoch(ctx, 0, 0)
	defer it.Close()
	images := 0
	for it.Next() {
		b := it.Batch()
		if b.N > 0 {
			r := rigs[b.N]
			if r == nil {
				var err error
				if r, err = newChannelRig(n, b.N); err != nil {
					return nil, err
				}
				rigs[b.N] = r
			}
			if tallies == nil {
				tallies = r.tallies()
			}
			if err := r.run(b.Images, tallies, rng.New(seed, "channels", uint64(images))); err != nil {
				return nil, err
			}
			images += b.N
		}
		it.Release(b)
	}
	if err := it.Err(); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &InputError{err}
	}
	if images == 0 {
		return nil, fmt.Errorf("looking at channels: none of the images could be read")
	}
	stats := make([]ChannelStats, len(tallies))
	for i, t := range tallies {
		stats[i] = t.stats()
	}
	return stats, nil
}

// channelRig is a program whose results are the activations.
type channelRig struct {
	program *graph.Program
	images  *graph.Node
	acts    []graph.Traced
	layers  []string
	values  []float32
}

func newChannelRig(n *Network, batch int) (*channelRig, error) {
	g := graph.New(graph.Eval)
	r := &channelRig{images: g.Input("images", batch, n.Height, n.Width, n.Channels)}
	logits := n.Module.Forward(g, r.images)
	trace, err := g.Trace(logits)
	if err != nil {
		return nil, err
	}
	layer := map[int]string{} // of each value, the last one with parameters
	target := graph.Target{}
	for _, s := range trace {
		name := layer[s.In[0].ID]
		for _, v := range s.In {
			if v.Param != nil {
				name = cmp.Or(v.Param.Layer(), v.Param.Name)
				break
			}
		}
		layer[s.Out[0].ID] = name
		if _, ok := s.Op.(op.Activation); ok {
			r.acts, r.layers = append(r.acts, s), append(r.layers, name)
			target.Outputs = append(target.Outputs, s.Out[0].Node)
		}
	}
	if len(r.acts) == 0 {
		return nil, fmt.Errorf("looking at channels: the network has no activations")
	}
	r.program, err = graph.Compile(g, n.Params, n.ws, target)
	return r, err
}

func (r *channelRig) tallies() []*channelTally {
	var all []*channelTally
	for i, s := range r.acts {
		shape := s.Out[0].Shape
		all = append(all, newChannelTally(r.layers[i], s.Op.Kind(), shape[len(shape)-1]))
	}
	return all
}

// run adds a batch to the tallies.
func (r *channelRig) run(images []float32, tallies []*channelTally, draw *rng.Stream) error {
	if err := r.program.Set(r.images, images); err != nil {
		return err
	}
	if err := r.program.Run(); err != nil {
		return err
	}
	for i, s := range r.acts {
		shape := s.Out[0].Shape
		r.values = grow(r.values, op.Size(shape))[:op.Size(shape)]
		if err := r.program.Read(s.Out[0].Node, r.values); err != nil {
			return err
		}
		tallies[i].add(r.values, shape[0], draw)
	}
	return nil
}

// channelTally sums what is seen of one activation.
type channelTally struct {
	layer, activation string
	channels          int
	alive             []bool
	compared          []int     // channels of which pairs are compared
	sums              []float64 // of these
	products          []float64 // of their pairs
	count             int
	row               []float64
}

func newChannelTally(layer, activation string, channels int) *channelTally {
	t := &channelTally{layer: layer, activation: activation, channels: channels, alive: make([]bool, channels)}
	n := min(channels, maxCorrelated)
	for i := range n {
		t.compared = append(t.compared, i*channels/n)
	}
	t.sums, t.products, t.row = make([]float64, n), make([]float64, n*n), make([]float64, n)
	return t
}

// add counts a batch of so many images (N, ..., C).
func (t *channelTally) add(values []float32, images int, draw *rng.Stream) {
	for i, v := range values {
		if v != 0 {
			t.alive[i%t.channels] = true
		}
	}
	positions := len(values) / t.channels / images
	for image := range images {
		for range min(positions, positionsImage) {
			at := (image*positions + draw.IntN(positions)) * t.channels
			for k, c := range t.compared {
				t.row[k] = float64(values[at+c])
			}
			t.count++
			for k, v := range t.row {
				t.sums[k] += v
				products := t.products[k*len(t.row):][:len(t.row)]
				for j, w := range t.row[:k+1] {
					products[j] += v * w
				}
			}
		}
	}
}

func (t *channelTally) stats() ChannelStats {
	s := ChannelStats{Layer: t.layer, Activation: t.activation, Channels: t.channels, Dead: []int{}} // an empty list in JSON
	for c, alive := range t.alive {
		if !alive {
			s.Dead = append(s.Dead, c)
		}
	}
	n, count := len(t.compared), float64(t.count)
	covariance := func(k, j int) float64 { return t.products[k*n+j]/count - t.sums[k]/count*t.sums[j]/count }
	var sum float64
	pairs := 0
	for k := range n {
		for j := range k {
			// What is left of a constant after subtraction is rounding.
			vk, vj := covariance(k, k), covariance(j, j)
			if vk <= 1e-12*t.products[k*n+k]/count || vj <= 1e-12*t.products[j*n+j]/count {
				continue
			}
			sum += math.Abs(covariance(k, j)) / math.Sqrt(vk*vj)
			pairs++
		}
	}
	if pairs > 0 {
		s.Correlation = sum / float64(pairs)
	}
	return s
}
