package train_test

import (
	"slices"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/adapt"
	"github.com/seed52467199/trainer/train"
)

// Weights made for images of one size are taken over for another, what they hold for
// each place resized.
func TestAdaptResizesPositions(t *testing.T) {
	dev := device(t)
	place := func(name string, size int) (*graph.Params, *models.Model) {
		ps := graph.NewParams(uint64(size))
		m, err := models.New(name, ps.Root(), models.Options{NumClasses: 3, ImageSize: size})
		if err != nil {
			t.Fatal(err)
		}
		if err := ps.Place(dev); err != nil {
			t.Fatal(err)
		}
		return ps, m
	}
	for _, c := range []struct {
		name    string
		resized int
		table   string
		resize  func(table []float32, rows, columns, newRows int) ([]float32, error)
		axis    int
	}{
		{"vit_tiny_patch16_224", 1, "pos_embed", adapt.Positions, 1},
		{"swin_tiny_patch4_window7_224", 8, "layers.3.blocks.1.attn.relative_position_bias_table", adapt.RelativeBias, 0},
	} {
		from, _ := place(c.name, 64)
		to, m := place(c.name, 96)
		weights, err := train.Weights(from)
		if err != nil {
			t.Fatal(err)
		}
		f := &checkpoint.File{Path: "small", Tensors: weights}
		plan, err := train.Adapt(to, m, f, train.AdaptOptions{Channels: 3})
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Resized) != c.resized || !slices.Contains(plan.Resized, c.table) || len(plan.Fresh) != 0 || plan.Loaded != len(to.All()) {
			t.Errorf("%s: plan %+v; want %d tables resized, %s among them, and all %d parameters loaded", c.name, plan, c.resized, c.table, len(to.All()))
		}
		before, _ := weights.Get(c.table)
		want, err := c.resize(before.Float32s(), before.Shape[c.axis], before.Shape[c.axis+1], to.Lookup(c.table).FileShape()[c.axis])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := to.Lookup(c.table).Read(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %s does not hold the resized table (%v)", c.name, c.table, err)
		}
	}
}
