package models_test

import (
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
)

// chosen builds a network of few classes with layers in place of its own and gives
// its parameters and the kinds of its operations.
func chosen(t *testing.T, name string, c layers.Choice) (params map[string]graph.Shape, kinds map[string]int) {
	t.Helper()
	ps := graph.NewParams(1)
	m, err := models.New(name, ps.Root(), models.Options{NumClasses: 3, Layers: c})
	if err != nil {
		t.Fatalf("%s with %+v: %v", name, c, err)
	}
	g := graph.New(graph.Train)
	calls, err := g.Trace(m.Forward(g, g.Input("images", 2, 64, 64, 3)))
	if err != nil {
		t.Fatalf("%s with %+v: %v", name, c, err)
	}
	params, kinds = map[string]graph.Shape{}, map[string]int{}
	for _, p := range ps.All() {
		params[p.Name] = p.FileShape()
	}
	for _, call := range calls {
		kind := call.Op.Kind()
		if a, ok := call.Op.(op.Activation); ok {
			kind = string(a.Func)
		}
		kinds[kind]++
	}
	return params, kinds
}

// One of each family that is built of a style.
var styled = []string{
	"cifar_resnet20", "cifar_preact_resnet20", "cifar_wrn16_4", "resnet18", "resnet50d", "resnext50_32x4d", "seresnet18", "cbam_resnet18",
	"bam_resnet50", "skresnet18", "skresnet50", "resnest14d", "gcresnet50t", "vgg11_bn", "densenet121",
}

func TestChosenNormAndActivationTakeThePlaceOfAll(t *testing.T) {
	for _, name := range styled {
		own, _ := chosen(t, name, layers.Choice{})
		other, kinds := chosen(t, name, layers.Choice{Norm: "batch:eps=1e-3", Act: "silu"})
		if len(own) != len(other) {
			t.Errorf("%s has %d tensors, with another eps and activation %d", name, len(own), len(other))
		}
		if kinds["silu"] == 0 || kinds["relu"] > 0 && !strings.Contains(name, "bam") && name != "gcresnet50t" && name != "seresnet18" {
			t.Errorf("%s with silu has %d of them and %d relus", name, kinds["silu"], kinds["relu"])
		}
	}
}

// The attention none leaves the network without; others end each branch.
func TestChosenAttention(t *testing.T) {
	for _, name := range styled {
		ps := graph.NewParams(1)
		_, err := models.New(name, ps.Root(), models.Options{Layers: layers.Choice{Attention: "eca"}})
		if name == "vgg11_bn" || name == "densenet121" {
			if err == nil || !strings.Contains(err.Error(), "the network has no place for one; leave attn out") {
				t.Errorf("%s with attention: %v, want an error that tells why not", name, err)
			}
			chosen(t, name, layers.Choice{Attention: "none"})
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, p := range ps.All() {
			if strings.HasSuffix(p.Name, ".se.conv.weight") || strings.HasSuffix(p.Name, ".attn.conv.weight") {
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s with eca has none", name)
		}
	}
	for name, plain := range map[string]string{"seresnet18": "resnet18", "cbam_resnet18": "resnet18", "ecaresnet50d": "resnet50d"} {
		a, _ := chosen(t, name, layers.Choice{Attention: "none"})
		b, _ := chosen(t, plain, layers.Choice{})
		if len(a) != len(b) {
			t.Errorf("%s without attention has %d tensors, %s %d", name, len(a), plain, len(b))
		}
	}
}

// Every layer that needs no option fits into every family, given groups that divide
// all channels.
func TestEveryLayerFitsEveryFamily(t *testing.T) {
	for _, entry := range layers.List("") {
		spec, c := entry.Name, layers.Choice{}
		if strings.Contains(entry.Options, "groups=32") {
			spec += ":groups=8"
		}
		switch entry.Kind {
		case layers.Norms:
			c.Norm = spec
		case layers.Acts:
			c.Act = spec
		case layers.Attentions:
			c.Attention = spec
		case layers.Convs:
			c.Conv = spec
		}
		if _, err := (layers.Style{}).With(c); err != nil {
			continue
		}
		for _, name := range styled {
			if entry.Kind != layers.Attentions || name != "vgg11_bn" && name != "densenet121" {
				chosen(t, name, c)
			}
		}
	}
}

// SqueezeNet has no norms, but activations.
func TestSqueezeNetTakesActivations(t *testing.T) {
	if _, kinds := chosen(t, "squeezenet1_1", layers.Choice{Act: "mish"}); kinds["mish"] != 26 || kinds["relu"] > 0 {
		t.Errorf("with mish it has %d of them and %d relus, want 26 and none", kinds["mish"], kinds["relu"])
	}
	for _, c := range []layers.Choice{{Norm: "batch"}, {Attention: "se"}, {Conv: "standard"}} {
		_, err := models.New("squeezenet1_1", graph.NewParams(1).Root(), models.Options{Layers: c})
		if err == nil || !strings.Contains(err.Error(), "the network has no place for one") {
			t.Errorf("%+v: %v, want an error that tells why not", c, err)
		}
	}
}

// The dropout of wide networks is inside the blocks.
func TestWideNetworksDropInside(t *testing.T) {
	m, err := models.New("cifar_wrn16_4", graph.NewParams(1).Root(), models.Options{DropRate: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Train)
	calls, err := g.Trace(m.Forward(g, g.Input("images", 2, 32, 32, 3)))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range calls {
		if o, ok := c.Op.(op.Dropout); ok && o.P == 0.3 && len(c.In[0].Shape) == 4 {
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d dropouts of maps, want one in each of the 6 blocks", n)
	}
}

// Deformable convolutions begin with the stage that they are asked for from.
func TestDeformableFromAStage(t *testing.T) {
	for _, name := range []string{"cifar_resnet20", "cifar_wrn16_4", "resnet50", "resnetv2_50", "regnety_008", "vgg11_bn", "densenet121", "mobilenetv2_100", "shufflenet_v2_x1_0"} {
		var found [3]int
		for i, from := range []string{"1", "3", "9"} {
			_, kinds := chosen(t, name, layers.Choice{Conv: "dcnv2:from=" + from})
			found[i] = kinds["deform_sample"]
		}
		if !(found[0] > found[1] && found[1] > 0 && found[2] == 0) {
			t.Errorf("%s has %v deformable convolutions from stages 1, 3 and 9", name, found)
		}
	}
}

// What is wrong with a layer chosen is told once, however many blocks have it.
func TestChosenLayersThatDoNotFit(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	if _, err := models.New("cifar_resnet20", ps.Root(), models.Options{Layers: layers.Choice{Conv: "grouped:groups=3"}}); err != nil {
		t.Fatal(err)
	}
	err = ps.Place(dev)
	if want := "layer1.0.conv1.weight: 3 groups do not divide 16 input and 16 output channels (and 17 more like it)"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
