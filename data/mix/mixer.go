package mix

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/internal/rng"
)

// Options say how samples are mixed; the names are timm's.
type Options struct {
	// Mixup and CutMix are the alphas of the beta distributions from which the share
	// of a sample's own picture is drawn; 0 leaves that way of mixing out.
	Mixup, CutMix float64
	// MinMax, where the second is above 0, are the least and the greatest share of
	// height and of width that CutMix's rectangle takes, instead of what its alpha
	// says. It turns CutMix on.
	MinMax [2]float64
	// Prob is the probability that a batch, a pair or an element is mixed at all.
	Prob float64
	// Switch is the probability of CutMix where there are both ways.
	Switch float64
	// Mode tells for what one share is drawn: batch, pair (two partners) or elem.
	Mode string
	// OffEpoch is the epoch, from 0, from which on nothing is mixed; 0 for none.
	OffEpoch int
	// Seed keys the draws.
	Seed uint64
}

// Mixer draws how the samples of batches are mixed. It is safe for concurrent use.
type Mixer struct{ o Options }

// New checks the options.
func New(o Options) (*Mixer, error) {
	if o.MinMax[1] > 0 {
		o.CutMix = 1 // as in timm; the draw is not used
	}
	switch {
	case !(o.Mixup >= 0 && o.CutMix >= 0) || o.Mixup+o.CutMix == 0 || math.IsInf(o.Mixup+o.CutMix, 0):
		return nil, fmt.Errorf("mixing with alphas %v of mixup and %v of CutMix; one must be above 0", o.Mixup, o.CutMix)
	case !(0 <= o.MinMax[0] && o.MinMax[0] <= o.MinMax[1] && o.MinMax[1] <= 1):
		return nil, fmt.Errorf("CutMix rectangles of %v of height and width; that must be two rising numbers up to 1", o.MinMax)
	case !(0 <= o.Prob && o.Prob <= 1 && 0 <= o.Switch && o.Switch <= 1):
		return nil, fmt.Errorf("probabilities %v of mixing and %v of CutMix; they must be from 0 to 1", o.Prob, o.Switch)
	case o.Mode != "batch" && o.Mode != "pair" && o.Mode != "elem":
		return nil, fmt.Errorf("mixing mode %q is unknown; known are batch, pair and elem", o.Mode)
	}
	return &Mixer{o}, nil
}

// Share is how one sample is mixed with its partner.
type Share struct {
	// Own is the share of the sample's own picture and target.
	Own float64
	// Cut tells that Box of the partner's picture replaces the sample's; otherwise
	// the pictures are blended.
	Cut bool
	Box Box
}

// whole is a sample that is not mixed.
var whole = Share{Own: 1}

// Box is a rectangle of pixels: rows Top..Bottom-1, columns Left..Right-1.
type Box struct{ Top, Bottom, Left, Right int }

// Draw fills shares, one for each sample, for a batch of pictures of this size.
func (m *Mixer) Draw(shares []Share, epoch, number uint64, height, width int) {
	n := len(shares)
	if m.o.OffEpoch > 0 && epoch >= uint64(m.o.OffEpoch) {
		for i := range shares {
			shares[i] = whole
		}
		return
	}
	var s rng.Stream
	s.Reset(m.o.Seed, "mix", epoch, number)
	switch m.o.Mode {
	case "batch":
		shared := m.draw(&s, height, width)
		for i := range shares {
			shares[i] = shared
		}
	case "pair":
		for i := range n / 2 {
			shares[i] = m.draw(&s, height, width)
			shares[n-1-i] = shares[i]
		}
	default:
		for i := range shares {
			shares[i] = m.draw(&s, height, width)
		}
	}
	if n%2 == 1 { // its own partner
		shares[n/2] = whole
	}
}

// draw draws one share.
func (m *Mixer) draw(s *rng.Stream, height, width int) Share {
	if !s.Bernoulli(m.o.Prob) {
		return whole
	}
	cut := m.o.CutMix > 0
	if cut && m.o.Mixup > 0 {
		cut = s.Bernoulli(m.o.Switch)
	}
	if !cut {
		return Share{Own: s.Beta(m.o.Mixup, m.o.Mixup)}
	}
	if lo, hi := m.o.MinMax[0], m.o.MinMax[1]; hi > 0 {
		h, w := between(s, height, lo, hi), between(s, width, lo, hi)
		top, left := s.IntN(height-h+1), s.IntN(width-w+1)
		return cutShare(Box{top, top + h, left, left + w}, height, width)
	}
	own := s.Beta(m.o.CutMix, m.o.CutMix)
	return cutShare(boxAround(own, s.IntN(height), s.IntN(width), height, width), height, width)
}

// between draws a whole number from lo*n up to, but not, hi*n.
func between(s *rng.Stream, n int, lo, hi float64) int {
	from, to := int(float64(n)*lo), int(float64(n)*hi)
	return from + s.IntN(max(1, to-from))
}

// boxAround is the rectangle around a centre that leaves the share own of a picture,
// and more where it is clipped at the border.
func boxAround(own float64, y, x, height, width int) Box {
	side := math.Sqrt(1 - own)
	h, w := int(float64(height)*side), int(float64(width)*side)
	return Box{max(y-h/2, 0), min(y+(h+1)/2, height), max(x-w/2, 0), min(x+(w+1)/2, width)}
}

// cutShare is the share that a box leaves, by its area.
func cutShare(b Box, height, width int) Share {
	area := (b.Bottom - b.Top) * (b.Right - b.Left)
	return Share{Own: 1 - float64(area)/float64(height*width), Cut: true, Box: b}
}
