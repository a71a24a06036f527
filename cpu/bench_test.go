package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// BenchmarkKernel runs operations as they occur in networks, some in each
// family. GF/s and MB/s count op.Work.
func BenchmarkKernel(b *testing.B) {
	x, ch := op.Shape{16, 56, 56, 64}, op.Shape{64}
	flat := op.Shape{op.Size(x)}
	conv3 := op.Conv2D{Window: op.Square(3, 1, 1), Groups: 1}
	w3 := op.Shape{3, 3, 64, 64}
	pool := op.Square(3, 2, 1)
	small, smallGrad := op.Shape{16, 28, 28, 64}, op.Shape{16, 28, 28, 64}
	segments := []op.Segment{{Len: flat[0]}}
	hyper := op.Shape{op.HyperLen(1)}
	relu := op.ReLU.Clip()
	roi := op.RoIAlign{PooledH: 7, PooledW: 7, Scale: 1. / 16, Samples: 2, Aligned: true, Offsets: true, Mask: true, Gamma: 0.1}
	rois := []op.Shape{{1, 50, 64, 256}, {128, 5}, {128, 2, 7, 7}, {128, 7, 7}}
	for _, c := range []struct {
		name   string
		op     op.Op
		shapes []op.Shape
	}{
		{"conv2d", conv3, []op.Shape{x, w3}},
		{"conv2d_input_grad", op.Conv2DInputGrad{Window: conv3.Window, Groups: 1, H: 56, W: 56}, []op.Shape{x, w3}},
		{"conv2d_weight_grad", op.Conv2DWeightGrad{Window: conv3.Window, Groups: 1}, []op.Shape{x, x}},
		{"linear", op.Linear{Bias: true}, []op.Shape{{64, 2048}, {2048, 1000}, {1000}}},
		{"linear_weight_grad", op.LinearWeightGrad{}, []op.Shape{{64, 2048}, {64, 1000}}},
		{"batch_norm", op.BatchNorm{Eps: 1e-5, Momentum: 0.1}, []op.Shape{x, ch, ch, ch, ch, {}}},
		{"batch_norm+residual+relu", op.BatchNorm{Eps: 1e-5, Momentum: 0.1, Residual: true, Clip: relu}, []op.Shape{x, ch, ch, ch, ch, {}, x}},
		{"batch_norm_grad", op.BatchNormGrad{}, []op.Shape{x, ch, ch, ch, x}},
		{"batch_norm_grad+residual+relu", op.BatchNormGrad{Residual: true, Share: true, Clip: relu}, []op.Shape{x, ch, ch, ch, x, x}},
		{"batch_norm_grad+relu", op.BatchNormGrad{Clip: relu}, []op.Shape{x, ch, ch, ch, x, ch}},
		{"batch_norm_inference+relu", op.BatchNormInference{Eps: 1e-5, Clip: relu}, []op.Shape{x, ch, ch, ch, ch}},
		{"batch_norm 16 channels", op.BatchNorm{Eps: 1e-5, Momentum: 0.1}, []op.Shape{{128, 32, 32, 16}, {16}, {16}, {16}, {16}, {}}},
		{"batch_norm 2048 channels", op.BatchNorm{Eps: 1e-5, Momentum: 0.1}, []op.Shape{{32, 7, 7, 2048}, {2048}, {2048}, {2048}, {2048}, {}}},
		{"relu", op.Activation{Func: op.ReLU}, []op.Shape{x}},
		{"relu_grad", op.ActivationGrad{Func: op.ReLU}, []op.Shape{x, x}},
		{"silu", op.Activation{Func: op.SiLU}, []op.Shape{x}},
		{"gelu_grad", op.ActivationGrad{Func: op.GELU}, []op.Shape{x, x}},
		{"add", op.Add{}, []op.Shape{x, x}},
		{"mul gate", op.Mul{}, []op.Shape{x, {16, 1, 1, 64}}},
		{"sum_to gate", op.SumTo{Shape: op.Shape{16, 1, 1, 64}}, []op.Shape{x}},
		{"column_sum", op.ColumnSum{}, []op.Shape{x}},
		{"max_pool", op.MaxPool{Window: pool}, []op.Shape{x}},
		{"max_pool_grad", op.MaxPoolGrad{Window: pool, H: 56, W: 56}, []op.Shape{small, smallGrad}},
		{"avg_pool", op.AvgPool{Window: op.Square(2, 2, 0)}, []op.Shape{x}},
		{"global_avg_pool", op.GlobalAvgPool{}, []op.Shape{x}},
		{"global_avg_pool_grad", op.GlobalAvgPoolGrad{H: 56, W: 56}, []op.Shape{{16, 64}}},
		{"roi_align", op.RoIAlign{PooledH: 7, PooledW: 7, Scale: 1. / 16, Samples: 2, Aligned: true}, rois[:2]},
		{"roi_align modulated", roi, rois},
		{"roi_align_grad modulated", op.RoIAlignGrad(roi), append(rois[:4:4], op.Shape{128, 7, 7, 256})},
		{"concat", op.Concat{Axis: 3}, []op.Shape{x, x}},
		{"dropout", op.Dropout{P: 0.2}, []op.Shape{x}},
		{"softmax", op.Softmax{}, []op.Shape{{256, 1000}}},
		{"cross_entropy", op.CrossEntropy{Smoothing: 0.1}, []op.Shape{{256, 1000}, {256}}},
		{"bce_with_logits", op.BCEWithLogits{}, []op.Shape{{256, 1000}, {256, 1000}}},
		{"sgd_update", op.Update{Segments: segments, Rule: op.SGD{Momentum: 0.9}}, []op.Shape{flat, flat, flat, hyper}},
		{"adam_update", op.Update{Segments: segments, Rule: op.Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}}, []op.Shape{flat, flat, flat, flat, hyper}},
		{"squared_norm", op.SquaredNorm{}, []op.Shape{flat}},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := newDevice(b, Options{})
			rng := rand.New(rand.NewPCG(1, 2))
			var in [][]float64
			for _, s := range c.shapes {
				in = append(in, random(rng, op.Size(s)))
			}
			switch c.op.(type) {
			case op.CrossEntropy:
				clear(in[1])
			case op.MaxPoolGrad:
				clear(in[0])
			case op.RoIAlign, op.RoIAlignGrad:
				placeRegions(in[1][:10], 1, 50, 64, roi.Scale)
				for i := range in[1] {
					in[1][i] = in[1][i%10]
				}
			}
			k := bind(b, d, c.op, op.Float32, c.shapes, in)
			work := c.op.Work(k.call.In, k.call.Out)
			b.SetBytes(work.Bytes)
			b.ReportAllocs()
			for b.Loop() {
				k.run()
			}
			b.ReportMetric(float64(work.FLOPs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
		})
	}
}
