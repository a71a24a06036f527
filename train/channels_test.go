package train_test

import (
	"context"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/train"
)

// A channel whose filter and bias give nothing but negative numbers is dead, and two
// filters that are the same are fully correlated.
func TestChannels(t *testing.T) {
	j := job(t, "model.name=lenet5", "data.size=28")
	weight, bias := j.Network.Params.Lookup("conv1.weight"), j.Network.Params.Lookup("conv1.bias")
	w, err := weight.Read() // (6, 1, 5, 5)
	if err != nil {
		t.Fatal(err)
	}
	each := len(w) / 6
	clear(w[2*each : 3*each])
	for i := 3; i < 6; i++ {
		copy(w[i*each:(i+1)*each], w[:each])
	}
	if err := weight.Write(w); err != nil {
		t.Fatal(err)
	}
	b := []float32{0.1, 0.1, -1, 0.1, 0.1, 0.1}
	if err := bias.Write(b); err != nil {
		t.Fatal(err)
	}
	loader, err := j.EvalLoader(j.ValData)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := train.Channels(context.Background(), j.Network, loader, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(stats) != 4 {
		t.Fatalf("%d activations, want 4: %v", len(stats), stats)
	}
	s := stats[0]
	if s.Layer != "conv1" || s.Activation != "relu" || s.Channels != 6 || !slices.Equal(s.Dead, []int{2}) {
		t.Errorf("the first activation is %+v, want conv1's with channel 2 dead", s)
	}
	// Of the ten pairs of channels 0, 1, 3, 4, 5 six are of equal ones.
	if s.Correlation < 0.6 || s.Correlation > 1+1e-9 {
		t.Errorf("the mean correlation is %v, want at least 0.6", s.Correlation)
	}
	if again, err := train.Channels(context.Background(), j.Network, loader, 1); err != nil || again[0].Correlation != s.Correlation {
		t.Errorf("the second look gives %v, %v", again, err)
	}
}
