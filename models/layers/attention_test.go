package layers_test

import (
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

func TestAttentionsEqualPyTorch(t *testing.T) {
	compareGolden(t, "attention.json", func(spec string) (layer, error) {
		if build, ok := branching[spec]; ok {
			return build, nil
		}
		f, err := layers.ParseAttention(spec)
		return layer(f), err
	})
}

func TestTokenAttentionsEqualPyTorch(t *testing.T) {
	compareGolden(t, "attention_tokens.json", func(spec string) (layer, error) {
		f, err := layers.ParseAttention(spec)
		return layer(f), err
	})
}

// branching are attentions that take the place of a convolution.
var branching = map[string]layer{
	"sk": func(s graph.Scope, channels int) graph.Module {
		return layers.NewSelectiveKernel(s, plain, channels, 48, layers.SelectiveKernelConfig{})
	},
	"sk-split": func(s graph.Scope, channels int) graph.Module {
		return layers.NewSelectiveKernel(s, plain, channels, 24, layers.SelectiveKernelConfig{Stride: 2, Reduction: 2, Divisor: 16, Split: true})
	},
	"splat": func(s graph.Scope, channels int) graph.Module {
		return layers.NewSplitAttention(s, plain, channels, 24, layers.SplitAttentionConfig{})
	},
	"splat-groups": func(s graph.Scope, channels int) graph.Module {
		return layers.NewSplitAttention(s, plain, channels, 12, layers.SplitAttentionConfig{Stride: 2, Groups: 2})
	},
	"splat-single": func(s graph.Scope, channels int) graph.Module {
		return layers.NewSplitAttention(s, plain, channels, 12, layers.SplitAttentionConfig{Radix: 1})
	},
}

var plain = layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.ReLU)}
