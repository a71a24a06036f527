package layers

import "github.com/seed52467199/trainer/graph"

// AttentionFunc declares an attention over maps (N, H, W, channels), which gives
// maps of the same shape.
type AttentionFunc func(s graph.Scope, channels int) graph.Module
