package layers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/graph"
)

// Kind is a place in a network that one of several layers can take.
type Kind string

// The kinds of layers.
const (
	Norms      Kind = "norm"
	Acts       Kind = "act"
	Attentions Kind = "attn"
	Convs      Kind = "conv"
)

// Entry is a layer that configurations choose by name.
type Entry struct {
	// Name is what it is chosen by; Kind is where it goes.
	Name string
	Kind Kind
	// Family groups layers that work on the same, as in the survey of Guo et al.
	// (arXiv 2111.07624): channel, spatial, channel+spatial, branch, temporal.
	Family string
	// Options are the options that its spec takes, with their defaults.
	Options string
	// Paper is where it is described.
	Paper string

	norm NormMaker
	act  ActMaker
	attn AttentionMaker
	conv ConvMaker
}

// The makers read a layer's options from its spec. What is wrong with them is
// the spec's own to tell.
type (
	NormMaker      func(s *Spec) NormFunc
	ActMaker       func(s *Spec) ActFunc
	AttentionMaker func(s *Spec) AttentionFunc
	ConvMaker      func(s *Spec) Convolver
)

// catalog lists the layers, each family's table in its own file.
func catalog() []Entry {
	return slices.Concat(norms, activations, channelAttentions, spatialAttentions, tokenAttentions, blockAttentions, temporalAttentions, convolutions, standardConvs, deformables, variants, composed, branchAttentions)
}

// List gives the layers of a kind, or of all kinds for "".
func List(k Kind) []Entry {
	return slices.DeleteFunc(catalog(), func(e Entry) bool { return k != "" && e.Kind != k })
}

// folded is a name as it is compared: HardSwish, hard-swish and hardswish are hard_swish.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// choose finds the layer of a spec and lets use read its options.
func choose(k Kind, text string, use func(e Entry, s *Spec)) error {
	s, err := ParseSpec(text)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range List(k) {
		if folded(e.Name) == folded(s.Name) {
			use(e, s)
			return s.Err()
		}
		names = append(names, e.Name)
	}
	for _, e := range catalog() {
		if folded(e.Name) == folded(s.Name) {
			return fmt.Errorf("%s is no %s layer but a %s layer: choose it as %s", e.Name, k, e.Kind, e.Kind)
		}
	}
	return fmt.Errorf("there is no %s layer %q; did you mean %s? There are %s", k, s.Name, closest(s.Name, names), strings.Join(names, ", "))
}

// ParseNorm reads the spec of a normalisation.
func ParseNorm(text string) (f NormFunc, err error) {
	err = choose(Norms, text, func(e Entry, s *Spec) { f = e.norm(s) })
	return f, err
}

// ParseAct reads the spec of an activation.
func ParseAct(text string) (f ActFunc, err error) {
	err = choose(Acts, text, func(e Entry, s *Spec) { f = e.act(s) })
	return f, err
}

// ParseAttention reads the spec of an attention.
func ParseAttention(text string) (f AttentionFunc, err error) {
	err = choose(Attentions, text, func(e Entry, s *Spec) { f = e.attn(s) })
	return f, err
}

// ParseConv reads the spec of a convolution.
func ParseConv(text string) (c Convolver, err error) {
	err = choose(Convs, text, func(e Entry, s *Spec) { c = e.conv(s) })
	return c, err
}

// Choice names layers in place of a network's own, each by its spec; "" keeps
// the network's. The attention "none" takes a network's away.
type Choice struct{ Norm, Act, Attention, Conv string }

// Any tells whether anything is chosen.
func (c Choice) Any() bool { return c != Choice{} }

// With is the style with layers in place of its own. It refuses layers of the kinds that
// the network has no place for.
func (st Style) With(c Choice, noPlace ...Kind) (Style, error) {
	err := cmp.Or(
		c.without(noPlace),
		replace(&st.Norm, c.Norm, ParseNorm), replace(&st.Act, c.Act, ParseAct),
		replace(&st.Attention, c.Attention, ParseAttention), replace(&st.Conv, c.Conv, ParseConv),
	)
	return st, err
}

// replace puts the layer of a spec in another's place, unless the spec is empty.
func replace[T any](layer *T, spec string, parse func(text string) (T, error)) (err error) {
	if spec != "" {
		*layer, err = parse(spec)
	}
	return err
}

// without is an error where a layer of one of these kinds is chosen. The attention
// "none" is no choice.
func (c Choice) without(kinds []Kind) error {
	if c.Attention == "none" {
		c.Attention = ""
	}
	chosen := map[Kind]string{Norms: c.Norm, Acts: c.Act, Attentions: c.Attention, Convs: c.Conv}
	for _, k := range kinds {
		if chosen[k] != "" {
			return fmt.Errorf("%s layer %q: the network has no place for one; leave %s out", k, chosen[k], k)
		}
	}
	return nil
}

// costChannels is the width of the maps for which Params counts.
const costChannels = 256

// Params is the number of trained values of the layer over 256 channels; of a
// convolution, one of 3x3 pixels from 256 to 256 channels.
func (e Entry) Params() int {
	ps := graph.NewParams(0)
	s, spec := ps.Root(), &Spec{Name: e.Name, used: map[string]bool{}}
	switch e.Kind {
	case Norms:
		if f := e.norm(spec); spec.Err() == nil {
			f(s, costChannels, false)
		}
	case Acts:
		e.act(spec)(s, costChannels)
	case Attentions:
		if f := e.attn(spec); f != nil {
			f(s, costChannels)
		}
	case Convs:
		e.conv(spec).choose(3)(s, costChannels, costChannels, 3, graph.ConvConfig{Pad: 1})
	}
	return ps.Count()
}
