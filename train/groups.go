package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
)

// parameterGroups sorts the parameters that are trained into groups by the learning rate
// and weight decay that the configuration gives each.
func parameterGroups(c *configs.Config, m *models.Model, ps *graph.Params, trained []*graph.Param) ([]optim.Group, error) {
	o := c.Optimizer
	for _, list := range []struct {
		key      string
		patterns []string
	}{{"optimizer.no_decay", o.NoDecay}, {"optimizer.muon_except", o.MuonExcept}} {
		for _, pattern := range list.patterns {
			if err := checkNamed(ps, list.key, pattern); err != nil {
				return nil, err
			}
		}
	}
	rates, err := factorsOf(ps, "optimizer.lr_scale", o.LRScale)
	if err != nil {
		return nil, err
	}
	decays, err := factorsOf(ps, "optimizer.decay_scale", o.DecayScale)
	if err != nil {
		return nil, err
	}
	depthOf := layerScales(o.LayerDecay, m, ps)
	decay, head := optim.DecayWeights(o.WeightDecay), checkpoint.Under(m.Config.Classifier...)
	noDecay := matchesAny(o.NoDecay)
	return optim.GroupBy(trained, func(p *graph.Param) (float64, float64) {
		scale, wd := decay(p)
		if noDecay(p.Name) {
			wd = 0
		}
		scale *= depthOf[p]
		if c.Finetune.HeadLR > 0 && head(p.Name) {
			scale = c.Finetune.HeadLR / o.LR
		}
		if by, ok := decays.of(p.Name); ok {
			wd = by * o.WeightDecay
		}
		if by, ok := rates.of(p.Name); ok {
			scale *= by
		}
		return scale, wd
	}), nil
}

// factors are numbers for parameters by patterns of their names.
type factors []struct {
	pattern string
	by      float64
}

// factorsOf reads what a key says, and refuses patterns that match nothing.
func factorsOf(ps *graph.Params, key string, items []string) (factors, error) {
	all := make(factors, len(items))
	for i, text := range items {
		var ok bool
		if all[i].pattern, all[i].by, ok = configs.ParseScale(text); !ok {
			return nil, fmt.Errorf("%s: %q should be a pattern of names and a factor, such as *.offset=0.1", key, text)
		}
		if err := checkNamed(ps, key, all[i].pattern); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// of is the factor for a name, that of the last pattern where several match.
func (f factors) of(name string) (by float64, ok bool) {
	for _, one := range slices.Backward(f) {
		if matches(one.pattern, name) {
			return one.by, true
		}
	}
	return 0, false
}

// layerScales is the factor of each parameter's learning rate by its depth: 1 for the
// classifier, and decay for each block further away.
func layerScales(decay float64, m *models.Model, ps *graph.Params) map[*graph.Param]float64 {
	all, depth, n := depths(m, ps)
	scales := map[*graph.Param]float64{}
	for i, p := range all {
		scales[p] = math.Pow(decay, float64(n-1-depth[i]))
	}
	return scales
}

// depths are the parameters that gradients may move, and models.Model.Depths of them.
func depths(m *models.Model, ps *graph.Params) (params []*graph.Param, depth []int, n int) {
	for _, p := range ps.All() {
		if p.Role.Trained() {
			params = append(params, p)
		}
	}
	depth, n = m.Depths(params)
	return params, depth, n
}

// checkNamed refuses a pattern that matches no parameter's name.
func checkNamed(ps *graph.Params, key, pattern string) error {
	if !slices.ContainsFunc(ps.All(), func(p *graph.Param) bool { return matches(pattern, p.Name) }) {
		return fmt.Errorf("%s: no parameter is named like %q; names are like %s", key, pattern, ps.All()[0].Name)
	}
	return nil
}
