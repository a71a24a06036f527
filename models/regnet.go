package models

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/layers"
)

// RegNetConfig is what RegNets (Radosavovic et al., arXiv 2003.13678) differ in: the
// widths of the blocks grow by Slope from Initial on and are rounded to powers of Ratio
// times Initial, which makes stages of those that are equal.
type RegNetConfig struct {
	Slope   float64
	Initial int
	Ratio   float64
	Depth   int
	// GroupWidth is the channels of a group of the 3x3 convolutions.
	GroupWidth int
	// Squeeze, where it is not 0, is the ratio of the channels inside
	// squeeze-and-excitation to a block's input channels.
	Squeeze float64
	Style   layers.Style
}

// stages are the widths and the numbers of blocks.
func (c RegNetConfig) stages() (widths, depths []int) {
	for i := range c.Depth {
		exponent := math.RoundToEven(math.Log((float64(c.Initial)+c.Slope*float64(i))/float64(c.Initial)) / math.Log(c.Ratio))
		width := int(math.RoundToEven(float64(c.Initial)*math.Pow(c.Ratio, exponent)/8)) * 8
		group := min(c.GroupWidth, width)
		width = int(math.RoundToEven(float64(width)/float64(group))) * group
		if n := len(widths); n > 0 && widths[n-1] == width {
			depths[n-1]++
			continue
		}
		widths, depths = append(widths, width), append(depths, 1)
	}
	return widths, depths
}

// NewRegNet declares a RegNet under timm's names: stem.conv, s1.b1.conv1.conv and so on,
// head.fc.
func NewRegNet(s graph.Scope, c RegNetConfig, o Options) (graph.Module, error) {
	var err error
	if c.Style, err = c.Style.With(o.Layers, layers.Attentions); err != nil {
		return nil, err
	}
	const stem = 32
	net := graph.Sequential{convNormAct(c.Style.Outside(), s.Sub("stem"), o.InChans, stem, 3, 2, 1)}
	channels := stem
	widths, depths := c.stages()
	eachBlock(depths, o.DropPath, func(i, k int, dropPath float64) {
		c := c
		c.Style = c.Style.At(i)
		net = append(net, c.block(s.Sub(fmt.Sprintf("s%d.b%d", i+1, k+1)), channels, widths[i], strideOf(k), dropPath))
		channels = widths[i]
	})
	return append(net, layers.NewPoolHead(s.Sub("head.fc"), channels, o.NumClasses, o.DropRate, graph.LinearConfig{Init: graph.Normal(0.01), BiasInit: graph.Zeros})), nil
}

// block declares a bottleneck without narrowing, whose attention stands behind the 3x3
// convolution.
func (c RegNetConfig) block(s graph.Scope, in, out, stride int, dropPath float64) graph.Module {
	group := min(c.GroupWidth, out)
	branch := graph.Sequential{
		convNormAct(c.Style, s.Sub("conv1"), in, out, 1, 1, 1),
		convNormAct(c.Style, s.Sub("conv2"), out, out, 3, stride, out/group),
	}
	if c.Squeeze > 0 {
		hidden := int(math.RoundToEven(float64(in) * c.Squeeze))
		branch = append(branch, layers.SqueezeExcite(layers.SqueezeExciteConfig{Hidden: hidden})(s.Sub("se").ConvInit(graph.KaimingNormal).ConvBiasInit(graph.Zeros), out))
	}
	branch = append(branch, convNorm(c.Style, s.Sub("conv3"), out, out, 1, 1, true))
	b := &layers.Residual{Branch: branch, Act: c.Style.Act(s.Sub("act3"), out), DropPath: dropPath}
	if stride != 1 || in != out {
		b.Shortcut = convNorm(c.Style.Outside(), s.Sub("downsample"), in, out, 1, stride, false)
	}
	return b
}

// groupedFanOut draws the weights of a k x k convolution with the variance 2 over the
// outputs of one group, as TensorFlow and timm's newer families do.
func groupedFanOut(k, out, groups int) graph.Init {
	return graph.Normal(math.Sqrt(2 / float64(k*k*out/groups)))
}

// convNormAct declares a convolution, its norm and the activation under timm's newer
// names, conv and bn in one scope.
func convNormAct(st layers.Style, s graph.Scope, in, out, k, stride, groups int) graph.Module {
	return st.ConvNormActOf(s.Sub("conv"), s.Sub("bn"), in, out, k, graph.ConvConfig{Stride: stride, Groups: groups, Init: groupedFanOut(k, out, groups)})
}

// convNorm is convNormAct without the activation; last is the end of a branch.
func convNorm(st layers.Style, s graph.Scope, in, out, k, stride int, last bool) graph.Module {
	conv := st.Convolve(s.Sub("conv"), in, out, k, graph.ConvConfig{Stride: stride, Init: groupedFanOut(k, out, 1)})
	return graph.Sequential{conv, st.Norm(s.Sub("bn"), out, last && st.ZeroLast)}
}

const regNetPaper = "Radosavovic et al., Designing Network Design Spaces, arXiv 2003.13678"

// regNets have the preprocessing of timm's default weights.
var regNets = []Spec{
	regNet("regnetx_008", RegNetConfig{Slope: 35.73, Initial: 56, Ratio: 2.28, Depth: 16, GroupWidth: 16},
		imageNet(regNetPaper, 0.965, "https://download.pytorch.org/models/regnet_x_800mf-94a99ebd.pth")),
	regNet("regnety_008", RegNetConfig{Slope: 38.84, Initial: 56, Ratio: 2.4, Depth: 14, GroupWidth: 16, Squeeze: 0.25},
		imageNet(regNetPaper, 0.875, timmHub+"regnety_008.pycls_in1k")),
	regNet("regnety_032", RegNetConfig{Slope: 42.63, Initial: 80, Ratio: 2.66, Depth: 21, GroupWidth: 24, Squeeze: 0.25},
		imageNet(regNetPaper, 0.95, timmWeights+"regnety_032_ra-7f2439f9.pth")),
}

func regNet(name string, c RegNetConfig, info Config) Spec {
	c.Style = residualStyle
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"stem.conv"}, []string{"stem.bn"}, []string{"head.fc"}
	return Spec{
		Name: name, Residual: true, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewRegNet(s, c, o) },
	}
}
