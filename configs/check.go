package configs

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Validate checks a configuration that was made or changed in Go: every value
// against its range, and values against each other. [Load] and [Parse] have
// done it already. The error is an [Invalid].
func (c *Config) Validate() error {
	var problems Invalid
	c.check(func(string) string { return "the configuration" }, &problems)
	return problems.err()
}

// check notes what is wrong with c; at tells where a key was set.
func (c *Config) check(at func(key string) string, problems *Invalid) {
	sound := map[string]bool{}
	eachField(func(f *field) {
		wrong := f.check(f.of(c).Interface())
		if wrong != "" {
			problems.add(at(f.path()), "%s %s", f.path(), wrong)
		}
		sound[f.path()] = wrong == ""
	})
	for _, rule := range rules {
		if slices.ContainsFunc(rule.keys, func(key string) bool { return !sound[key] }) {
			continue // it would only say the same again
		}
		if wrong := rule.wrong(c); wrong != "" {
			key := rule.keys[0]
			problems.add(at(key), "%s is %s, and %s", key, literal(findField(key).of(c).Interface()), wrong)
		}
	}
}

// rules are what values must keep among each other. Each begins with the key
// that it blames and ends the sentence "KEY is VALUE, and".
var rules = []struct {
	keys  []string
	wrong func(*Config) string
}{
	{keys("model.dropout"), func(c *Config) string {
		if p := c.Model.Dropout; p < 0 && p != -1 {
			return "should be a probability, or -1 for the model's own"
		}
		return ""
	}},
	{keys("data.std", "data.mean"), func(c *Config) string {
		if c.Data.Mean.Auto() != c.Data.Std.Auto() {
			return "data.mean is " + literal(c.Data.Mean) + "; either both are auto or neither is"
		}
		if len(c.Data.Mean) != len(c.Data.Std) {
			return "data.mean is " + literal(c.Data.Mean) + "; both should have one number for each channel"
		}
		return ""
	}},
	{keys("data.mean", "model.in_chans"), func(c *Config) string {
		n, channels := len(c.Data.Mean), c.inChans()
		if n <= 1 || channels == 0 || n == channels {
			return ""
		}
		if c.Finetune.Gray { // a recipe's statistics for colour are averaged
			return ""
		}
		return fmt.Sprintf("should have one number, or one for each of the %d input channels", channels)
	}},
	{keys("model.in_chans", "finetune.gray"), func(c *Config) string {
		if c.Finetune.Gray && c.Model.InChans > 1 {
			return "should be 1 or 0, because finetune.gray is true"
		}
		return ""
	}},
	{keys("data.sampler", "data.shuffle"), func(c *Config) string {
		if c.Data.Sampler != "shuffle" && !c.Data.Shuffle {
			return "draws at random, but data.shuffle is false"
		}
		return ""
	}},
	{keys("data.holdout"), func(c *Config) string {
		if n := c.Data.Holdout; n > 1 && n != math.Trunc(n) {
			return "should be a whole number of images, or a share below 1"
		}
		return ""
	}},
	{keys("augment.scale"), func(c *Config) string { return ascending(c.Augment.Scale[:]) }},
	{keys("augment.ratio"), func(c *Config) string { return ascending(c.Augment.Ratio[:]) }},
	{keys("augment.splits", "augment.mixup", "augment.cutmix", "augment.cutmix_minmax", "loss.name"), func(c *Config) string {
		a := c.Augment
		switch {
		case a.Splits > 1 && (a.Mixup > 0 || a.CutMix > 0 || a.CutMixMinMax[1] > 0):
			return "should be 1, because images are mixed; or leave augment.mixup and augment.cutmix 0"
		case a.Splits == 1 && c.Loss.Name == "jsd":
			return "should be 3 or another number above 1, because loss.name is jsd, which compares versions of an image"
		}
		return ""
	}},
	{keys("augment.hflip_mode", "augment.hflip"), func(c *Config) string {
		if c.Augment.HFlipMode == "alternating" && c.Augment.HFlip != 0.5 {
			return "needs augment.hflip 0.5, which is " + number(c.Augment.HFlip)
		}
		return ""
	}},
	{keys("augment.cutmix_minmax"), func(c *Config) string { return ascending(c.Augment.CutMixMinMax[:]) }},
	{keys("augment.color_jitter"), func(c *Config) string {
		j := c.Augment.ColorJitter
		if n := len(j); n == 2 || n > 4 || n == 4 && j[3] > 0.5 {
			return "should be one number, three for brightness, contrast and saturation, or a fourth of at most 0.5 for hue"
		}
		return ""
	}},
	{keys("augment.color_jitter", "augment.auto", "augment.force_color_jitter"), func(c *Config) string {
		a := c.Augment
		if len(a.ColorJitter) > 0 && a.auto() && !strings.Contains(a.Auto, "3a") && !a.ForceColorJitter {
			return "timm leaves it out beside augment.auto " + a.Auto + ": make it [], or set augment.force_color_jitter true for both"
		}
		return ""
	}},
	{keys("augment.interpolation", "augment.auto"), func(c *Config) string {
		a := c.Augment
		if a.auto() && (a.Interpolation == "box" || a.Interpolation == "lanczos") {
			return "augment.auto " + a.Auto + " moves pixels by nearest, bilinear, bicubic or random alone"
		}
		return ""
	}},
	{keys("optimizer.nesterov", "optimizer.name", "optimizer.momentum", "optimizer.dampening"), func(c *Config) string {
		o := c.Optimizer
		if o.Nesterov && (o.Name == "sgd" || o.Name == "lars") && (o.Momentum == 0 || o.Dampening != 0) {
			return "needs optimizer.momentum above 0 and optimizer.dampening 0"
		}
		return ""
	}},
	{keys("train.effective_batch", "train.batch_size"), func(c *Config) string {
		whole, batch := c.Train.EffectiveBatch, c.Train.BatchSize
		if whole == 0 || whole%batch == 0 {
			return ""
		}
		wrong := fmt.Sprintf("should be a multiple of train.batch_size, which is %d", batch)
		for b := min(batch, whole); b > 0; b-- {
			if whole%b == 0 {
				return fmt.Sprintf("%s: set train.batch_size to %d, which divides it", wrong, b)
			}
		}
		return wrong
	}},
	{keys("optimizer.betas", "optimizer.name"), func(c *Config) string {
		want, n := 2, len(c.Optimizer.Betas)
		switch c.Optimizer.Name {
		case "adan":
			want = 3
		case "lion", "adam", "adamw", "nadamw", "radam", "adamax", "lamb", "adafactor", "muon":
		default:
			return ""
		}
		if n != 0 && n != want {
			return fmt.Sprintf("should have %d numbers for %s, or none for its own", want, c.Optimizer.Name)
		}
		return ""
	}},
	{keys("optimizer.no_decay"), func(c *Config) string { return patterns(c.Optimizer.NoDecay) }},
	{keys("optimizer.muon_except"), func(c *Config) string { return patterns(c.Optimizer.MuonExcept) }},
	{keys("optimizer.lr_scale"), func(c *Config) string { return scales(c.Optimizer.LRScale) }},
	{keys("optimizer.decay_scale"), func(c *Config) string { return scales(c.Optimizer.DecayScale) }},
	{keys("train.swa_start", "train.ema_decay", "train.epochs"), func(c *Config) string {
		switch s := c.Train.SWAStart; {
		case s > 0 && c.Train.EMADecay > 0:
			return "train.ema_decay is " + number(c.Train.EMADecay) + "; either average would be the weights that the run is for, so one of them should be 0"
		case s > float64(c.Train.Epochs) || s >= 1 && s != float64(int(s)):
			return fmt.Sprintf("should be an epoch up to train.epochs, which is %d, or a share of them below 1", c.Train.Epochs)
		}
		return ""
	}},
	{keys("train.swa_lr", "train.swa_start"), func(c *Config) string {
		if c.Train.SWALR > 0 && c.Train.SWAStart == 0 {
			return "needs train.swa_start, which is 0"
		}
		return ""
	}},
	{keys("train.ema_warmup", "train.ema_decay"), func(c *Config) string {
		if c.Train.EMAWarmup && c.Train.EMADecay == 0 {
			return "needs train.ema_decay, which is 0"
		}
		return ""
	}},
	{keys("schedule.warmup_epochs", "schedule.name", "train.epochs"), func(c *Config) string {
		s := c.Schedule
		switch {
		case s.WarmupEpochs > 0 && s.Name == "one_cycle":
			return "should be 0, because one_cycle warms up by itself (schedule.pct_start)"
		case s.WarmupEpochs > float64(c.Train.Epochs):
			return fmt.Sprintf("should be at most train.epochs, which is %d", c.Train.Epochs)
		}
		return ""
	}},
	{keys("schedule.warmup_prefix", "schedule.name"), func(c *Config) string {
		if n := c.Schedule.Name; c.Schedule.WarmupPrefix && n == "plateau" {
			return "should be false, because plateau waits for the end of the warm-up by itself"
		}
		return ""
	}},
	{keys("schedule.cooldown_epochs", "schedule.name", "schedule.min_lr", "schedule.warmup_epochs", "train.epochs"), func(c *Config) string {
		s := c.Schedule
		switch {
		case s.CooldownEpochs == 0:
		case s.Name == "one_cycle":
			return "should be 0, because one_cycle ends far below its start by itself (schedule.final_div_factor)"
		case s.MinLR == 0:
			return "schedule.min_lr is 0: nothing would be learned in these epochs; set schedule.min_lr"
		case s.WarmupEpochs+s.CooldownEpochs >= float64(c.Train.Epochs):
			return fmt.Sprintf("should be below train.epochs without schedule.warmup_epochs, which is %s", number(float64(c.Train.Epochs)-s.WarmupEpochs))
		}
		return ""
	}},
	{keys("schedule.min_lr", "schedule.name", "schedule.cooldown_epochs", "optimizer.lr"), func(c *Config) string {
		s := c.Schedule
		ends := s.CooldownEpochs > 0 || slices.Contains([]string{"cosine", "poly", "tanh", "plateau"}, s.Name)
		if ends && s.MinLR > c.Optimizer.LR {
			return "should be at most optimizer.lr, which is " + number(c.Optimizer.LR)
		}
		return ""
	}},
	{keys("schedule.tanh_low", "schedule.tanh_high"), func(c *Config) string {
		if c.Schedule.TanhLow >= c.Schedule.TanhHigh {
			return "should be below schedule.tanh_high, which is " + number(c.Schedule.TanhHigh)
		}
		return ""
	}},
	{keys("schedule.noise"), func(c *Config) string {
		if len(c.Schedule.Noise) > 2 {
			return "should be two shares of the run, or one, such as [0.4, 0.9]"
		}
		return ascending(c.Schedule.Noise)
	}},
	{keys("schedule.milestones", "schedule.name"), func(c *Config) string {
		if c.Schedule.Name == "multistep" && len(c.Schedule.Milestones) == 0 {
			return "multistep needs at least one, such as [30, 60]"
		}
		return ascending(c.Schedule.Milestones)
	}},
	{keys("schedule.cycle_momentum", "schedule.name", "optimizer.name", "optimizer.momentum"), func(c *Config) string {
		o := c.Optimizer
		switch {
		case !c.Schedule.CycleMomentum:
		case c.Schedule.Name != "one_cycle":
			return "should be false, because schedule.name is " + c.Schedule.Name + ": only one_cycle moves the momentum"
		case o.Name == "sgd" && o.Momentum == 0:
			return "should be false, because optimizer.momentum is 0; set that above 0"
		case !slices.Contains(movingMomentum, o.Name):
			return "should be false, because " + o.Name + " has no momentum that moves; those of " + strings.Join(movingMomentum, ", ") + " have"
		}
		return ""
	}},
	{keys("schedule.base_momentum", "schedule.max_momentum"), func(c *Config) string {
		if c.Schedule.BaseMomentum > c.Schedule.MaxMomentum {
			return "should be at most schedule.max_momentum, which is " + number(c.Schedule.MaxMomentum)
		}
		return ""
	}},
	{keys("finetune.freeze"), func(c *Config) string { return patterns(c.Finetune.Freeze) }},
	{keys("finetune.head_epochs", "finetune.unfreeze_epochs", "train.epochs"), func(c *Config) string {
		f := c.Finetune
		if partial := f.HeadEpochs + f.UnfreezeEpochs; partial >= c.Train.Epochs && partial > 0 {
			return fmt.Sprintf("should leave an epoch of train.epochs, which is %d, to the whole network, with finetune.unfreeze_epochs %d; to train the classifier alone, freeze the rest by finetune.freeze", c.Train.Epochs, f.UnfreezeEpochs)
		}
		return ""
	}},
	{keys("pretrain.noise_level", "pretrain.noise"), func(c *Config) string {
		if c.Pretrain.Noise == "masking" && c.Pretrain.NoiseLevel >= 1 {
			return "should be below 1, because pretrain.noise is masking"
		}
		return ""
	}},
	{keys("lr_find.max_lr", "lr_find.min_lr"), func(c *Config) string {
		if c.LRFind.MaxLR <= c.LRFind.MinLR {
			return "should be above lr_find.min_lr, which is " + number(c.LRFind.MinLR)
		}
		return ""
	}},
}

// movingMomentum are the optimizers for schedule.cycle_momentum.
var movingMomentum = []string{"sgd", "adam", "adamw", "nadamw", "radam"}

// auto reports whether there is automatic augmentation.
func (a *Augment) auto() bool { return a.Auto != "" && a.Auto != "none" }

func keys(list ...string) []string { return list }

// patterns says which is none.
func patterns(list []string) string {
	for _, p := range list {
		if _, err := path.Match(p, ""); err != nil {
			return quote(p) + " is not a pattern; * and ? stand for any characters, [a-z] for one of a range"
		}
	}
	return ""
}

// scales tells what is wrong with patterns of names that have factors.
func scales(items []string) string {
	for _, text := range items {
		pattern, _, ok := ParseScale(text)
		if !ok {
			return quote(text) + " should be a pattern of names and a factor of at least 0, such as *.offset=0.1"
		}
		if wrong := patterns([]string{pattern}); wrong != "" {
			return wrong
		}
	}
	return ""
}

// ParseScale reads an item of optimizer.lr_scale or optimizer.decay_scale: a pattern of
// names, = and a factor of at least 0.
func ParseScale(text string) (pattern string, factor float64, ok bool) {
	pattern, number, found := strings.Cut(text, "=")
	factor, err := strconv.ParseFloat(number, 64)
	return pattern, factor, found && pattern != "" && err == nil && factor >= 0 && !math.IsInf(factor, 0)
}

func ascending(list []float64) string {
	if slices.IsSorted(list) {
		return ""
	}
	return "should be in ascending order"
}

// inChans is the number of input channels as far as the configuration alone
// tells, or 0.
func (c *Config) inChans() int {
	if c.Finetune.Gray {
		return 1
	}
	return c.Model.InChans
}
