package adapt

import (
	"fmt"
	"slices"
)

// Method is how the filters for the channels of a colour image become one filter
// for gray. With z the network's normalised input:
type Method string

const (
	// Sum adds the filters. A gray image then gives what the same image as R=G=B
	// gave, exactly if the normalisation is matched: one mean and one standard
	// deviation for all channels, which gray has too. With ImageNet's statistics
	// and their averages for gray it is close, within some percent of a standard
	// deviation. This is timm's rule.
	Sum Method = "sum"
	// Mean averages the filters. It assumes that only the direction of a filter
	// counts: the responses are a third of Sum's, which suits a following norm that
	// is trained anew, not one that keeps its running statistics.
	Mean Method = "mean"
	// Luma weights the filters by the eye's (ITU-R BT.601: 0.299, 0.587, 0.114), on
	// the assumption that green's filters see detail best. Its scale is Mean's.
	// The source must have three channels.
	Luma Method = "luma"
	// Fold takes the change of normalisation into the weights: each filter is
	// scaled by the ratio of the standard deviations, and what the means leave is
	// an offset of the response. A gray image then gives what it gave as R=G=B,
	// whatever the two normalisations are; only beside the border, where zeros
	// stand for pixels, the offset is not exact.
	Fold Method = "fold"
)

// Methods lists the methods.
func Methods() []Method { return []Method{Sum, Mean, Luma, Fold} }

// luma are the weights of red, green and blue of ITU-R BT.601.
var luma = []float64{0.299, 0.587, 0.114}

// Normalisation is what the network sees of a channel's value v in [0, 1]:
// (v - Mean)/Std. Both have one number for each channel.
type Normalisation struct{ Mean, Std []float64 }

// Average is the normalisation for gray that timm derives from one for colours: the
// average of the means and that of the standard deviations.
func (n Normalisation) Average() Normalisation {
	average := func(v []float64) []float64 {
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return []float64{sum / float64(len(v))}
	}
	return Normalisation{Mean: average(n.Mean), Std: average(n.Std)}
}

// check says what is wrong with a normalisation of so many channels.
func (n Normalisation) check(of string, channels int) error {
	if len(n.Mean) != channels || len(n.Std) != channels {
		return fmt.Errorf("the normalisation of the %s has %d means and %d standard deviations; it should have one for each of its channels, %d", of, len(n.Mean), len(n.Std), channels)
	}
	if i := slices.IndexFunc(n.Std, func(s float64) bool { return !(s > 0) }); i >= 0 {
		return fmt.Errorf("the standard deviation of channel %d of the %s is %v; it should be above 0", i, of, n.Std[i])
	}
	return nil
}

// Conv is the adapted first convolution.
type Conv struct {
	// Weight is in file layout, (K, channels, KH, KW).
	Weight []float32
	// Offset, of Fold only, belongs to the response of each of the K filters: it is
	// to be added to the convolution's bias or, where there is none, subtracted
	// from the running mean of the batch norm behind it. A norm by batch
	// statistics takes it out again by itself.
	Offset []float32
}

// FirstConv turns a convolution's weight of this shape (K, C, KH, KW), in file
// layout, into one for images of n channels. from and to are the
// normalisations of the source's and the target's images; only Fold looks at
// them.
//
// For n = C the weight stays as it is. For n = 1 the method rules. Any other n
// takes Sum, whose filters are repeated in order and scaled by C/n, as timm
// does, so that responses keep their size.
func FirstConv(weight []float32, shape []int, n int, m Method, from, to Normalisation) (Conv, error) {
	if len(shape) != 4 || slices.Min(shape) < 1 || shape[0]*shape[1]*shape[2]*shape[3] != len(weight) {
		return Conv{}, fmt.Errorf("adapting the first convolution: %d values of shape %v; it should be (filters, channels, height, width)", len(weight), shape)
	}
	if !slices.Contains(Methods(), m) {
		return Conv{}, fmt.Errorf("adapting the first convolution: method %q is unknown; known are %v", m, Methods())
	}
	channels := shape[1]
	switch {
	case n < 1:
		return Conv{}, fmt.Errorf("adapting the first convolution: %d channels asked for; it should be at least 1", n)
	case n == channels:
		return Conv{Weight: slices.Clone(weight)}, nil
	case n > 1 && m != Sum:
		return Conv{}, fmt.Errorf("adapting the first convolution: method %s makes one channel, not %d; use %s", m, n, Sum)
	case n > 1:
		return Conv{Weight: repeat(weight, shape, n)}, nil
	}
	factors := make([]float64, channels)
	switch m {
	case Sum, Mean:
		for c := range factors {
			factors[c] = 1
			if m == Mean {
				factors[c] = 1 / float64(channels)
			}
		}
	case Luma:
		if channels != len(luma) {
			return Conv{}, fmt.Errorf("adapting the first convolution: method %s is for red, green and blue; the weight has %d channels", m, channels)
		}
		factors = luma
	case Fold:
		for _, err := range []error{from.check("source", channels), to.check("target", n)} {
			if err != nil {
				return Conv{}, fmt.Errorf("adapting the first convolution: %w", err)
			}
		}
		for c := range factors {
			factors[c] = to.Std[0] / from.Std[c]
		}
	}
	gray := Conv{Weight: combine(weight, shape, factors)}
	if m == Fold {
		for c := range factors {
			factors[c] = (to.Mean[0] - from.Mean[c]) / from.Std[c]
		}
		gray.Offset = total(combine(weight, shape, factors), shape[0])
	}
	return gray, nil
}

// combine is the sum over the channels, each times its factor: (K, C, KH, KW) to
// (K, 1, KH, KW).
func combine(weight []float32, shape []int, factors []float64) []float32 {
	filters, channels, area := shape[0], shape[1], shape[2]*shape[3]
	out := make([]float32, filters*area)
	for i := range out {
		k, p := i/area, i%area
		sum := 0.0
		for c := range channels {
			sum += factors[c] * float64(weight[(k*channels+c)*area+p])
		}
		out[i] = float32(sum)
	}
	return out
}

// total is the sum of each of the filters.
func total(weight []float32, filters int) []float32 {
	out := make([]float32, filters)
	area := len(weight) / filters
	for k := range out {
		sum := 0.0
		for _, w := range weight[k*area:][:area] {
			sum += float64(w)
		}
		out[k] = float32(sum)
	}
	return out
}

// repeat goes through the channels in turn until there are n, scaled by C/n.
func repeat(weight []float32, shape []int, n int) []float32 {
	filters, channels, area := shape[0], shape[1], shape[2]*shape[3]
	scale := float32(channels) / float32(n)
	out := make([]float32, 0, filters*n*area)
	for k := range filters {
		for c := range n {
			for _, w := range weight[(k*channels+c%channels)*area:][:area] {
				out = append(out, scale*w)
			}
		}
	}
	return out
}
