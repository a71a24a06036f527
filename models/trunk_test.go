package models_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
)

// The trunk ends where the map ends: of each family with maps, its shape and the way back.
func TestTrunks(t *testing.T) {
	for _, c := range []struct {
		name     string
		size     int
		features string
		sizes    string
	}{
		{"lenet5", 28, "(2, 5, 5, 16)", "[[5 5] [10 10] [28 28]]"},
		{"cifar_resnet20", 32, "(2, 8, 8, 64)", "[[8 8] [16 16] [32 32]]"},
		{"resnet50", 64, "(2, 2, 2, 2048)", "[[2 2] [4 4] [8 8] [16 16] [32 32] [64 64]]"},
		{"resnet18", 32, "(2, 1, 1, 512)", "[[1 1] [2 2] [4 4] [8 8] [16 16] [32 32]]"},
		{"seresnet18", 64, "(2, 2, 2, 512)", "[[2 2] [4 4] [8 8] [16 16] [32 32] [64 64]]"},
		{"squeezenet1_1", 63, "(2, 3, 3, 512)", "[[3 3] [7 7] [15 15] [31 31] [63 63]]"},
		{"vgg11_bn", 64, "(2, 2, 2, 512)", "[[2 2] [4 4] [8 8] [16 16] [32 32] [64 64]]"},
		{"mobilenetv3_small_100", 64, "(2, 2, 2, 576)", "[[2 2] [4 4] [8 8] [16 16] [32 32] [64 64]]"},
		{"convnext_atto", 64, "(2, 2, 2, 320)", "[[2 2] [4 4] [8 8] [16 16] [64 64]]"},
		{"densenet121", 64, "(2, 2, 2, 1024)", "[[2 2] [4 4] [8 8] [16 16] [32 32] [64 64]]"},
		{"shufflenet_v2_x1_0", 64, "(2, 2, 2, 1024)", "[[2 2] [4 4] [8 8] [16 16] [32 32] [64 64]]"},
	} {
		ps := graph.NewParams(1)
		m, err := models.New(c.name, ps.Root(), models.Options{ImageSize: c.size, NumClasses: 3})
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New(graph.Train)
		trunk, err := m.Trunk(g, g.Input("images", 2, c.size, c.size, m.Options.InChans))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := fmt.Sprint(trunk.Features.Shape()); got != c.features || fmt.Sprint(trunk.Sizes) != c.sizes {
			t.Errorf("%s: features %v by way of %v, want %s and %s", c.name, got, trunk.Sizes, c.features, c.sizes)
		}
	}
	for _, name := range []string{"mlp", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "mixer_s32_224"} {
		m, err := models.New(name, graph.NewParams(1).Root(), models.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New(graph.Train)
		size := m.Options.ImageSize
		if _, err := m.Trunk(g, g.Input("images", 2, size, size, m.Options.InChans)); err == nil || !strings.Contains(err.Error(), "does not keep its features in maps") {
			t.Errorf("%s: %v, want an error", name, err)
		}
	}
}
