package models

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
	"github.com/seed52467199/trainer/graph"
)

// Spec is a model in the registry.
type Spec struct {
	// Name is what the model is asked for by.
	Name string
	// Config is what is known about it.
	Config Config
	// Residual tells whether it has residual branches, so that Options.DropPath
	// means something.
	Residual bool
	// DropBlock tells whether Options.DropBlock means something.
	DropBlock bool
	// Layers tells whether it is built of a layers.Style, so that Options.Layers
	// means something.
	Layers bool
	// DropRate is its own dropout before the classifier.
	DropRate float64
	// Build declares its parameters. The options are checked and have no zero
	// left that stands for a default.
	Build func(s graph.Scope, o Options) (graph.Module, error)
}

// registry holds the models by name; the families' tables are its beginning.
var registry = struct {
	sync.RWMutex
	specs map[string]Spec
}{specs: table(
	leNets, perceptrons, cifarResNets, cifarPreActs, cifarAirbenches,
	resNets, attentionResNets, contextResNets, resNetV2s, vggs, denseNets, squeezeNets, mobileNetV1s, mobileNetV2s, mobileNetV3s, efficientNets, efficientNetV2s, tfEfficientNetLites, convNeXts,
	regNets, repVGGs, shuffleNetV2s,
	viTs, swins, mixers,
)}

func table(families ...[]Spec) map[string]Spec {
	specs := map[string]Spec{}
	for _, family := range families {
		for _, s := range family {
			specs[s.Name] = s
		}
	}
	return specs
}

// Register adds a model of one's own. A name that is taken is an error.
func Register(s Spec) error {
	if s.Name == "" || s.Build == nil {
		return errors.New("registering a model: it needs a name and a Build function")
	}
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.specs[s.Name]; taken {
		return fmt.Errorf("registering model %s: there is a model of that name already", s.Name)
	}
	s.Config = s.Config.clone()
	registry.specs[s.Name] = s
	return nil
}

// Names lists the models in alphabetical order.
func Names() []string {
	registry.RLock()
	defer registry.RUnlock()
	return slices.Sorted(maps.Keys(registry.specs))
}

// Info is what is known about the model of this name.
func Info(name string) (Config, error) {
	s, err := lookup(name)
	return s.Config.clone(), err
}

func lookup(name string) (Spec, error) {
	registry.RLock()
	s, ok := registry.specs[name]
	registry.RUnlock()
	if ok {
		return s, nil
	}
	if near := nearest(name, Names()); len(near) > 0 {
		return Spec{}, fmt.Errorf("there is no model %q; did you mean %s?", name, strings.Join(near, " or "))
	}
	return Spec{}, fmt.Errorf("there is no model %q; there are %s", name, strings.Join(Names(), ", "))
}

// nearest lists up to three names that a misspelt one may mean, the most similar
// first: those at a small edit distance, and those that one begins with.
func nearest(name string, names []string) []string {
	name = strings.ToLower(strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(name))
	distance := map[string]int{}
	for _, n := range names {
		d := levenshtein.ComputeDistance(name, n)
		if d <= max(1, len(name)/4) || len(name) > 2 && (strings.HasPrefix(n, name) || strings.HasPrefix(name, n)) {
			distance[n] = d
		}
	}
	near := slices.Sorted(maps.Keys(distance))
	slices.SortStableFunc(near, func(a, b string) int { return distance[a] - distance[b] })
	return near[:min(3, len(near))]
}
