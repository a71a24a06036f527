package graph

import (
	"math"

	"github.com/seed52467199/trainer/internal/rng"
)

// Init draws a parameter's first value into dst, in file order; shape is the
// parameter's shape in files. dst is zero at first. Several parameters are drawn at a
// time.
type Init func(r *rng.Stream, shape Shape, dst []float64)

// Constant fills with v.
func Constant(v float64) Init {
	return func(_ *rng.Stream, _ Shape, dst []float64) {
		for i := range dst {
			dst[i] = v
		}
	}
}

// Zeros and Ones are the usual constants.
var (
	Zeros = Constant(0)
	Ones  = Constant(1)
)

// Normal draws from a normal distribution of mean 0.
func Normal(std float64) Init {
	return func(r *rng.Stream, _ Shape, dst []float64) { r.Normals(dst, std) }
}

// Uniform draws from [-bound, bound).
func Uniform(bound float64) Init {
	return func(r *rng.Stream, _ Shape, dst []float64) {
		for i := range dst {
			dst[i] = r.Uniform(-bound, bound)
		}
	}
}

// fans are the numbers of inputs and outputs of one unit of a weight (K, C, ...).
func fans(shape Shape) (in, out int) {
	area := 1
	for _, d := range shape[2:] {
		area *= d
	}
	return shape[1] * area, shape[0] * area
}

// KaimingNormal is He initialisation for relu with the fan-out (arXiv 1502.01852),
// as torchvision and timm start their residual networks.
func KaimingNormal(r *rng.Stream, shape Shape, dst []float64) {
	_, out := fans(shape)
	Normal(math.Sqrt(2/float64(out)))(r, shape, dst)
}

// KaimingNormalFanIn is He initialisation for relu with the fan-in.
func KaimingNormalFanIn(r *rng.Stream, shape Shape, dst []float64) {
	in, _ := fans(shape)
	Normal(math.Sqrt(2/float64(in)))(r, shape, dst)
}

// KaimingUniform is He initialisation for relu, uniform, with the fan-in.
func KaimingUniform(r *rng.Stream, shape Shape, dst []float64) {
	in, _ := fans(shape)
	Uniform(math.Sqrt(6/float64(in)))(r, shape, dst)
}

// FanInUniform is PyTorch's default for the weights of linear layers and
// convolutions: uniform within 1/sqrt(fan-in).
func FanInUniform(r *rng.Stream, shape Shape, dst []float64) {
	in, _ := fans(shape)
	Uniform(1/math.Sqrt(float64(in)))(r, shape, dst)
}

// XavierUniform is Glorot and Bengio's initialisation for linear layers.
func XavierUniform(r *rng.Stream, shape Shape, dst []float64) {
	in, out := fans(shape)
	Uniform(math.Sqrt(6/float64(in+out)))(r, shape, dst)
}

// LecunNormal draws with the variance 1 over the fan-in.
func LecunNormal(r *rng.Stream, shape Shape, dst []float64) {
	in, _ := fans(shape)
	Normal(math.Sqrt(1/float64(in)))(r, shape, dst)
}

// BiasUniform is PyTorch's default for the bias of a layer with this fan-in.
func BiasUniform(fanIn int) Init { return Uniform(1 / math.Sqrt(float64(fanIn))) }

// Dirac is another initialisation whose first filters, as many as there are input
// channels, are the identity: filter k gives channel k as it is (Zagoruyko and
// Komodakis, DiracNets, arXiv 1706.00388). Kernels have odd sides.
func Dirac(rest Init) Init {
	return func(r *rng.Stream, shape Shape, dst []float64) {
		rest(r, shape, dst)
		filters, channels, area := shape[0], shape[1], shape[2]*shape[3]
		for k := range min(filters, channels) {
			filter := dst[k*channels*area:][:channels*area]
			clear(filter)
			filter[k*area+area/2] = 1
		}
	}
}
