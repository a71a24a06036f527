package optim

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// Config chooses an update rule and its constants. The formulas stand with the rules of
// package op.
type Config struct {
	// Name is one of Names.
	Name string
	// Momentum is of sgd, lars, rmsprop, rmsprop_tf, madgrad and muon; Dampening is of
	// sgd and lars.
	Momentum, Dampening float64
	// Nesterov is of sgd, lars and muon, for what is no matrix, too.
	Nesterov bool
	// Betas are the decays of the moments, nil for the rule's own: two, or three for
	// adan, or for adafactor the first alone, which then keeps a first moment.
	Betas []float64
	// Eps is what keeps divisions by small numbers in bounds, 0 for the rule's own.
	Eps float64
	// Alpha is the decay of the mean square of rmsprop and rmsprop_tf, 0 for the rule's
	// own.
	Alpha float64
	// MaxGradNorm, where positive, is lamb's own clipping: gradients whose joint
	// 2-norm is greater are scaled down to it, after that of Clip.
	MaxGradNorm float64
	// TrustCoeff is of lars.
	TrustCoeff float64
	// TrustClip bounds the trust ratio of lamb and lars by 1, and AlwaysAdapt has it
	// where there is no weight decay, too.
	TrustClip, AlwaysAdapt bool
	// Muon is of muon.
	Muon Muon
	// MovingMomentum lets SetMomentum change the momentum of sgd, or the first beta of
	// adam, adamw, nadamw and radam, from update to update.
	MovingMomentum bool
	// Clip bounds the gradients before the rule sees them.
	Clip Clip
	// LookaheadK, where positive, moves slow weights LookaheadAlpha of the way to the
	// weights at every so many updates, and puts the weights there (arXiv 1907.08610).
	// As in timm the slow weights begin where the weights are at the first time.
	LookaheadK     int
	LookaheadAlpha float64
}

// family is what there is to say about the optimizers of a name.
type family struct {
	betas      []float64
	eps, alpha float64
	// slots names the state that lies like the parameters, as PyTorch or timm do.
	slots []string
	// rule makes the rule of a configuration that is filled in.
	rule func(Config) op.Rule
}

// families is the table of all optimizers.
var families = map[string]family{
	"sgd": {slots: []string{"momentum_buffer"}, rule: func(c Config) op.Rule { return c.sgd() }},
	"adam": {betas: adamBetas, eps: 1e-8, slots: adamSlots, rule: func(c Config) op.Rule {
		return op.Adam{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps}
	}},
	"adamw": {betas: adamBetas, eps: 1e-8, slots: adamSlots, rule: func(c Config) op.Rule {
		return op.Adam{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, Decoupled: true}
	}},
	"nadamw": {betas: adamBetas, eps: 1e-8, slots: adamSlots, rule: func(c Config) op.Rule {
		return op.Adam{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, Decoupled: true, Nesterov: true}
	}},
	"radam": {betas: adamBetas, eps: 1e-8, slots: adamSlots, rule: func(c Config) op.Rule {
		return op.Adam{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, Rectified: true}
	}},
	"adamax": {betas: adamBetas, eps: 1e-8, slots: []string{"exp_avg", "exp_inf"}, rule: func(c Config) op.Rule {
		return op.Adamax{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps}
	}},
	"rmsprop": {eps: 1e-8, alpha: 0.99, slots: rmspropSlots, rule: func(c Config) op.Rule {
		return op.RMSProp{Alpha: c.Alpha, Eps: c.Eps, Momentum: c.Momentum}
	}},
	"rmsprop_tf": {eps: 1e-10, alpha: 0.9, slots: rmspropSlots, rule: func(c Config) op.Rule {
		return op.RMSProp{Alpha: c.Alpha, Eps: c.Eps, Momentum: c.Momentum, TF: true}
	}},
	"lamb": {betas: adamBetas, eps: 1e-6, slots: adamSlots, rule: func(c Config) op.Rule {
		return op.LAMB{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, TrustClip: c.TrustClip, AlwaysAdapt: c.AlwaysAdapt}
	}},
	"lars": {eps: 1e-8, slots: []string{"momentum_buffer"}, rule: func(c Config) op.Rule {
		return op.LARS{SGD: c.sgd(), TrustCoeff: c.TrustCoeff, Eps: c.Eps, TrustClip: c.TrustClip, AlwaysAdapt: c.AlwaysAdapt}
	}},
	"lion": {betas: []float64{0.9, 0.99}, slots: []string{"exp_avg"}, rule: func(c Config) op.Rule {
		return op.Lion{Beta1: c.Betas[0], Beta2: c.Betas[1]}
	}},
	"adan": {betas: []float64{0.98, 0.92, 0.99}, eps: 1e-8, slots: []string{"exp_avg", "exp_avg_sq", "exp_avg_diff", "neg_pre_grad"}, rule: func(c Config) op.Rule {
		return op.Adan{Beta1: c.Betas[0], Beta2: c.Betas[1], Beta3: c.Betas[2], Eps: c.Eps}
	}},
	"madgrad": {eps: 1e-6, slots: []string{"grad_sum_sq", "s", "x0"}, rule: func(c Config) op.Rule {
		return op.MADGRAD{Momentum: c.Momentum, Eps: c.Eps}
	}},
	"adafactor": {betas: []float64{0, 0}, rule: func(c Config) op.Rule {
		return op.Adafactor{DecayRate: -0.8, ClipThreshold: 1, Beta1: c.Betas[0]}
	}},
	"muon": {betas: []float64{0.9, 0.95}, eps: 1e-7, rule: func(c Config) op.Rule {
		return op.Muon{Momentum: c.Momentum, Nesterov: c.Nesterov, Steps: c.Muon.steps(), Rest: c.muonRest()}
	}},
}

// moving are the optimizers whose momentum SetMomentum changes.
var moving = []string{"sgd", "adam", "adamw", "nadamw", "radam"}

var (
	adamBetas    = []float64{0.9, 0.999}
	adamSlots    = []string{"exp_avg", "exp_avg_sq"}
	rmspropSlots = []string{"square_avg", "momentum_buffer"}
)

// Names lists the optimizers.
func Names() []string { return slices.Sorted(maps.Keys(families)) }

func (c Config) sgd() op.SGD {
	return op.SGD{Momentum: c.Momentum, Dampening: c.Dampening, Nesterov: c.Nesterov}
}

// fill checks the configuration and puts in the rule's own constants.
func (c Config) fill() (Config, family, error) {
	f, ok := families[c.Name]
	if !ok {
		return c, f, fmt.Errorf("optimizer %q is unknown; known are %v", c.Name, Names())
	}
	switch {
	case c.Nesterov && (c.Name == "sgd" || c.Name == "lars") && (c.Momentum <= 0 || c.Dampening != 0):
		return c, f, fmt.Errorf("optimizer %s: nesterov needs a momentum above 0 and no dampening", c.Name)
	case len(c.Betas) > 0 && len(f.betas) > 0 && len(c.Betas) != len(f.betas):
		return c, f, fmt.Errorf("optimizer %s: %d betas %v, want %d, or none for its own %v", c.Name, len(c.Betas), c.Betas, len(f.betas), f.betas)
	case c.MovingMomentum && c.Name == "sgd" && c.Momentum <= 0:
		return c, f, errors.New("optimizer sgd: a momentum that moves needs one above 0 to begin with")
	case c.MovingMomentum && !slices.Contains(moving, c.Name):
		return c, f, fmt.Errorf("optimizer %s has no momentum that moves; those of %v have", c.Name, moving)
	case c.LookaheadK < 0 || c.LookaheadAlpha < 0 || c.LookaheadAlpha > 1:
		return c, f, errors.New("lookahead needs a positive number of updates and an alpha between 0 and 1")
	}
	if len(c.Betas) == 0 {
		c.Betas = f.betas
	}
	if c.Eps == 0 {
		c.Eps = f.eps
	}
	if c.Alpha == 0 {
		c.Alpha = f.alpha
	}
	if c.Name == "muon" {
		var err error
		if c.Muon, err = c.Muon.fill(); err != nil {
			return c, f, err
		}
	}
	return c, f, c.Clip.check()
}
