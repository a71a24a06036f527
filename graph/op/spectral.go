package op

import (
	"fmt"
	"math"
)

// SpectralPool is, for each channel of x (N, H, W, C), one coefficient of the map's
// discrete cosine transform (Qin et al., arXiv 2012.11879): channels fall into as many
// equal groups as there are Frequencies, of rows and columns, (0, 0) being the mean times
// the number of positions. Frequencies are those of a map of Grid x Grid and are scaled to
// this map's size. The result is (N, C).
type SpectralPool struct {
	Frequencies [][2]int
	Grid        int
}

// Kind implements Op.
func (SpectralPool) Kind() string { return "spectral_pool" }

// Infer implements Op.
func (o SpectralPool) Infer(in []Shape) ([]Shape, error) {
	n, _, _, c, err := nhwc("spectral_pool", in[0])
	if err != nil {
		return nil, err
	}
	if k := len(o.Frequencies); k == 0 || o.Grid < 1 || c%k != 0 {
		return nil, fmt.Errorf("spectral_pool: %d channels for %d frequencies; their number should divide that of channels", c, k)
	}
	return []Shape{{n, c}}, nil
}

// Basis is what the values of a map of h x w positions and c channels are multiplied by
// before they are summed, (h, w, c).
func (o SpectralPool) Basis(h, w, c int) []float64 {
	along := func(frequency, extent int) []float64 {
		frequency *= max(1, extent/o.Grid)
		values := make([]float64, extent)
		for i := range values {
			values[i] = math.Cos(math.Pi*float64(frequency)*(float64(i)+0.5)/float64(extent)) / math.Sqrt(float64(extent))
			if frequency > 0 {
				values[i] *= math.Sqrt2
			}
		}
		return values
	}
	basis, width := make([]float64, h*w*c), c/len(o.Frequencies)
	for g, f := range o.Frequencies {
		rows, columns := along(f[0], h), along(f[1], w)
		for p := range h * w {
			v := rows[p/w] * columns[p%w]
			for k := g * width; k < (g+1)*width; k++ {
				basis[p*c+k] = v
			}
		}
	}
	return basis
}

// Work implements Op.
func (SpectralPool) Work(in, out []Shape) Work { return traffic(2*int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (o SpectralPool) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	x := in[0].Shape()
	dx, err := Apply(SpectralPoolGrad{SpectralPool: o, H: x[1], W: x[2]}, dy)
	return []*Node{dx}, err
}

// SpectralPoolGrad is the gradient of a SpectralPool of maps of H x W.
type SpectralPoolGrad struct {
	SpectralPool
	H, W int
}

// Kind implements Op.
func (SpectralPoolGrad) Kind() string { return "spectral_pool_grad" }

// Infer implements Op.
func (o SpectralPoolGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{{in[0][0], o.H, o.W, in[0][1]}}, nil
}

// Diff implements Differentiable.
func (o SpectralPoolGrad) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(o.SpectralPool, dy)
	return []*Node{dx}, err
}
