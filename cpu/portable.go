package cpu

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// portable is the table of the kernels in plain Go.
func portable[T number](c op.Call) (plan, error) {
	switch o := c.Op.(type) {
	case op.Activation:
		return activation[T](c, o)
	case op.ActivationGrad:
		return activationGrad[T](c, o)
	case op.NormActivationGrad:
		return normActivationGrad[T](c, o)
	case op.PReLU:
		return prelu[T](c), nil
	case op.PReLUGrad:
		return preluGrad[T](c), nil
	case op.ClipGrad:
		return clipGrad[T](c, o), nil
	case op.Add:
		return add[T](c, o)
	case op.Mul:
		return mul[T](c)
	case op.Scale:
		return scale[T](c, o), nil
	case op.Exp:
		return exp[T](c), nil
	case op.Power:
		return power[T](c, o), nil
	case op.BatchNorm:
		return batchNorm[T](c, o), nil
	case op.BatchNormAgain:
		return batchNormAgain[T](c, o), nil
	case op.BatchNormGrad:
		return batchNormGrad[T](c, o), nil
	case op.BatchNormInference:
		return batchNormInference[T](c, o), nil
	case op.BatchNormInferenceGrad:
		return batchNormInferenceGrad[T](c, o), nil
	case op.Conv2D:
		return conv2D[T](c, o), nil
	case op.Conv2DInputGrad:
		return conv2DInputGrad[T](c, o), nil
	case op.Conv2DWeightGrad:
		return conv2DWeightGrad[T](c, o), nil
	case op.FoldNorm:
		return foldNorm[T](c, o), nil
	case op.Linear:
		return linear[T](c, o), nil
	case op.LinearInputGrad:
		return linearInputGrad[T](c), nil
	case op.LinearWeightGrad:
		return linearWeightGrad[T](c), nil
	case op.LayerNorm:
		return layerNorm[T](c, o), nil
	case op.LayerNormGrad:
		return layerNormGrad[T](c, o), nil
	case op.GroupNorm:
		return groupNorm[T](c, o), nil
	case op.GroupNormGrad:
		return groupNormGrad[T](c, o), nil
	case op.EstimateMoments:
		return estimateMoments[T](c, o), nil
	case op.DeformSample:
		return deformSample(c, o, portableLines[T]()), nil
	case op.DeformSampleGrad:
		return deformSampleGrad(c, o, portableLines[T]()), nil
	case op.RoIAlign:
		return roiAlign(c, o, portableLines[T]()), nil
	case op.RoIAlignGrad:
		return roiAlignGrad(c, o, portableLines[T]()), nil
	case op.SpectralPool:
		return spectralPool(c, o, portableDot[T]), nil
	case op.SpectralPoolGrad:
		return spectralPoolGrad(c, o, portableSpread[T]), nil
	case op.Softmax:
		return softmax[T](c), nil
	case op.SoftmaxGrad:
		return softmaxGrad[T](c), nil
	case op.CrossEntropy:
		return crossEntropy[T](c, o), nil
	case op.BCEWithLogits:
		return bceWithLogits[T](c, o), nil
	case op.SigmoidFocal:
		return sigmoidFocal[T](c, o), nil
	case op.SoftmaxFocal:
		return softmaxFocal[T](c, o), nil
	case op.Asymmetric:
		return asymmetric[T](c, o), nil
	case op.SoftmaxAsymmetric:
		return softmaxAsymmetric[T](c, o), nil
	case op.JensenShannon:
		return jensenShannon[T](c, o), nil
	case op.MSE:
		return mse[T](c), nil
	case op.MAE:
		return mae[T](c), nil
	case op.Huber:
		return huber[T](c, o), nil
	case op.MaxPool:
		return maxPool[T](c, o), nil
	case op.MaxPoolGrad:
		return maxPoolGrad[T](c, o), nil
	case op.AvgPool:
		return avgPool[T](c, o), nil
	case op.AvgPoolGrad:
		return avgPoolGrad[T](c, o), nil
	case op.GlobalAvgPool:
		return globalAvgPool[T](c), nil
	case op.GlobalAvgPoolGrad:
		return globalAvgPoolGrad[T](c, o), nil
	case op.Dropout:
		return dropout[T](c, o), nil
	case op.DropPath:
		return dropPath[T](c, o), nil
	case op.Bernoulli:
		return bernoulli[T](c, o), nil
	case op.SumTo:
		return sumTo[T](c)
	case op.DotTo:
		return dotTo[T](c)
	case op.MaxTo:
		return maxTo[T](c)
	case op.MaxToGrad:
		return maxToGrad[T](c)
	case op.BroadcastTo:
		return broadcastTo[T](c)
	case op.ColumnSum:
		return columnSum[T](c), nil
	case op.Mean:
		return mean[T](c), nil
	case op.Permute:
		return permute[T](c, o), nil
	case op.Gather:
		return gather[T](c, o), nil
	case op.GatherGrad:
		return gatherGrad[T](c, o), nil
	case op.MatMul:
		return matMul[T](c, o), nil
	case op.Attention:
		return attention[T](c, o), nil
	case op.AttentionGrad:
		return attentionGrad[T](c, o), nil
	case op.Reshape, op.Detach, op.Copy:
		return copied(c), nil
	case op.Concat:
		return concat[T](c, o), nil
	case op.Slice:
		return slice[T](c, o), nil
	case op.SliceGrad:
		return sliceGrad[T](c, o), nil
	case op.Update:
		return portableUpdate[T](c, o)
	case op.EMAUpdate:
		return emaUpdate[T](c), nil
	case op.SquaredNorm:
		return squaredNorm[T](c), nil
	case op.Accumulate:
		return accumulate[T](c), nil
	case op.ClampGrads:
		return clampGrads[T](c), nil
	case op.AdaptiveClip:
		return adaptiveClip[T](c, o)
	case op.Perturb:
		return perturb[T](c, o)
	case op.Lookahead:
		return lookahead[T](c), nil
	}
	return plan{}, fmt.Errorf("this device has no kernel for %s (%T)", c.Op.Kind(), c.Op)
}
