package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// fast is the table of the fast kernels, all for float32. Where it has none for a
// call, or none for its shapes, the plan has no bind.
func fast(c op.Call, m conv.Method, threads *pool.Pool) (plan, error) {
	switch o := c.Op.(type) {
	case op.Activation:
		return fastActivation(c, o, threads.Threads()), nil
	case op.ActivationGrad:
		return fastActivationGrad(c, o, threads.Threads()), nil
	case op.NormActivationGrad:
		return fastNormActivationGrad(c, o, threads.Threads()), nil
	case op.PReLU:
		return fastPReLU(c), nil
	case op.PReLUGrad:
		return fastPReLUGrad(c), nil
	case op.ClipGrad:
		return fastClipGrad[float32](c, o), nil
	case op.Add:
		return fastAdd(c, o)
	case op.Mul:
		return fastMul(c)
	case op.Scale:
		return fastScale(c, o), nil
	case op.Exp:
		return mapped(c, threads.Threads(), func(y, x, _ []float32) { vec.Exp(y, x) }), nil
	case op.BatchNorm:
		return fastBatchNorm[float32](c, o, threads.Threads()), nil
	case op.BatchNormAgain:
		return fastBatchNormAgain[float32](c, o, threads.Threads()), nil
	case op.BatchNormGrad:
		return fastBatchNormGrad[float32](c, o, threads.Threads()), nil
	case op.BatchNormInference:
		return fastBatchNormInference[float32](c, o, threads.Threads()), nil
	case op.BatchNormInferenceGrad:
		return fastBatchNormInferenceGrad(c, o), nil
	case op.Conv2D:
		return fastConv2D(c, o, m, threads)
	case op.Conv2DInputGrad:
		return fastConv2DInputGrad(c, o, m, threads)
	case op.Conv2DWeightGrad:
		return fastConv2DWeightGrad(c, o, m, threads)
	case op.FoldNorm:
		return fastFoldNorm(c, o), nil
	case op.Linear:
		return fastLinear(c, o, m, threads)
	case op.LinearInputGrad:
		return fastLinearInputGrad(c, m, threads)
	case op.LinearWeightGrad:
		return fastLinearWeightGrad(c, m, threads)
	case op.LayerNorm:
		return fastLayerNorm(c, o), nil
	case op.LayerNormGrad:
		return fastLayerNormGrad(c, o, threads.Threads()), nil
	case op.GroupNorm:
		return fastGroupNorm(c, o), nil
	case op.GroupNormGrad:
		return fastGroupNormGrad(c, o), nil
	case op.MatMul:
		return fastMatMul(c, o, threads)
	case op.Attention:
		return fastAttention(c, o, threads.Threads())
	case op.AttentionGrad:
		return fastAttentionGrad(c, o, threads.Threads())
	case op.EstimateMoments:
		return fastEstimateMoments(c, o), nil
	case op.DeformSample:
		return deformSample(c, o, fastLines), nil
	case op.DeformSampleGrad:
		return deformSampleGrad(c, o, fastLines), nil
	case op.RoIAlign:
		return roiAlign(c, o, fastLines), nil
	case op.RoIAlignGrad:
		return roiAlignGrad(c, o, fastLines), nil
	case op.SpectralPool:
		return spectralPool(c, o, vec.ChannelDot), nil
	case op.SpectralPoolGrad:
		return spectralPoolGrad(c, o, vec.ScaleChannels), nil
	case op.Softmax:
		return fastSoftmax(c), nil
	case op.SoftmaxGrad:
		return fastSoftmaxGrad(c), nil
	case op.CrossEntropy:
		return fastCrossEntropy(c, o), nil
	case op.BCEWithLogits:
		return fastBCEWithLogits(c, o), nil
	case op.MSE:
		return fastMSE(c), nil
	case op.MaxPool:
		return fastMaxPool[float32](c, o), nil
	case op.MaxPoolGrad:
		return fastMaxPoolGrad[float32](c, o), nil
	case op.AvgPool:
		return fastAvgPool[float32](c, o), nil
	case op.AvgPoolGrad:
		return fastAvgPoolGrad[float32](c, o), nil
	case op.GlobalAvgPool:
		return fastGlobalAvgPool[float32](c), nil
	case op.GlobalAvgPoolGrad:
		return fastGlobalAvgPoolGrad[float32](c, o), nil
	case op.SumTo:
		return fastSumTo(c)
	case op.DotTo:
		return fastDotTo(c)
	case op.MaxTo:
		return fastMaxTo(c)
	case op.MaxToGrad:
		return fastMaxToGrad(c)
	case op.BroadcastTo:
		return fastBroadcastTo(c)
	case op.ColumnSum:
		return fastColumnSum(c), nil
	case op.Mean:
		return fastMean(c), nil
	case op.Update:
		return fastUpdate(c, o, threads)
	case op.EMAUpdate:
		return fastEMAUpdate(c), nil
	case op.SquaredNorm:
		return fastSquaredNorm(c), nil
	case op.Dropout:
		return fastDropout(c, o), nil
	case op.Accumulate:
		return fastAccumulate(c), nil
	}
	return plan{}, nil
}

// fastNarrow is fast for calls with operands in bfloat16.
func fastNarrow(c op.Call, m conv.Method, threads *pool.Pool) (plan, error) {
	switch o := c.Op.(type) {
	case op.Activation:
		return fastActivation(c, o, threads.Threads()), nil
	case op.ActivationGrad:
		return fastActivationGrad(c, o, threads.Threads()), nil
	case op.NormActivationGrad:
		return fastNormActivationGrad(c, o, threads.Threads()), nil
	case op.ClipGrad:
		if c.Narrow == (op.Operands{In: 3, Out: 1}) && vec.Halves() {
			return fastClipGrad[uint16](c, o), nil
		}
	case op.Concat:
		if c.Narrow == (op.Operands{In: 1<<len(c.In) - 1, Out: 1}) {
			return concat[uint16](c, o), nil
		}
	case op.Slice:
		if c.Narrow == (op.Operands{In: 1, Out: 1}) {
			return slice[uint16](c, o), nil
		}
	case op.SliceGrad:
		if c.Narrow == (op.Operands{In: 1, Out: 1}) {
			return sliceGrad[uint16](c, o), nil
		}
	case op.Add:
		return narrowAdd(c, o, threads.Threads()), nil
	case op.BatchNorm:
		return byElement(c, o, threads.Threads(), fastBatchNorm[uint16], fastBatchNorm[float32]), nil
	case op.BatchNormAgain:
		return byElement(c, o, threads.Threads(), fastBatchNormAgain[uint16], fastBatchNormAgain[float32]), nil
	case op.BatchNormGrad:
		return byElement(c, o, threads.Threads(), fastBatchNormGrad[uint16], fastBatchNormGrad[float32]), nil
	case op.BatchNormInference:
		return byElement(c, o, threads.Threads(), fastBatchNormInference[uint16], fastBatchNormInference[float32]), nil
	case op.MaxPool:
		if c.Narrow == (op.Operands{In: 1, Out: 1}) && vec.Halves() {
			return fastMaxPool[uint16](c, o), nil
		}
	case op.MaxPoolGrad:
		if c.Narrow == (op.Operands{In: 2, Out: 1}) && vec.Halves() {
			return fastMaxPoolGrad[uint16](c, o), nil
		}
	case op.AvgPool:
		if c.Narrow == (op.Operands{In: 1, Out: 1}) && vec.Halves() {
			return fastAvgPool[uint16](c, o), nil
		}
	case op.AvgPoolGrad:
		// Windows that overlap would round a gradient with each.
		if g := newPooling(o.Window, c.Out[0], c.In[0]); c.Narrow == (op.Operands{In: 1, Out: 1}) && vec.Halves() && g.apart() {
			return fastAvgPoolGrad[uint16](c, o), nil
		}
	case op.GlobalAvgPool:
		if c.Narrow == (op.Operands{In: 1, Out: 1}) && vec.Halves() {
			return fastGlobalAvgPool[uint16](c), nil
		}
	case op.GlobalAvgPoolGrad:
		if c.Narrow == (op.Operands{In: 1, Out: 1}) && vec.Halves() {
			return fastGlobalAvgPoolGrad[uint16](c, o), nil
		}
	case op.Conv2D:
		return narrowConv2D(c, o, m, threads)
	case op.Conv2DInputGrad:
		return narrowConv2DInputGrad(c, o, m, threads)
	case op.Conv2DWeightGrad:
		return narrowConv2DWeightGrad(c, o, m, threads)
	}
	return plan{}, nil
}

// floats is the memory as the fast kernels' numbers.
func floats(b []byte) []float32 { return as[float32](b) }
