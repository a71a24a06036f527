// Package op holds the operations of the graph, one file a family.
//
// An operation is a small struct of attributes, such as [Conv2D] or
// [BatchNorm], that knows three things: the shapes of its results ([Op.Infer]),
// its gradient as further operations ([Differentiable.Diff]) and how much work
// it is ([Op.Work]). It holds no arithmetic on data: a device turns a [Call]
// (an operation with its shapes and element type) into a [Kernel].
//
// [Apply] is the one way to put an operation into a Gorgonia graph. It wraps
// the operation as a gorgonia.SDOp whose hash is unique to the instance, since
// Gorgonia merges nodes of equal hash, and checks that no merge happened.
//
// Activations are (N, H, W, C), channels fastest; a convolution's weights are
// (KH, KW, C/groups, K); a linear layer's are (in, out). An operation with
// several results returns the first one as its node; [Aux] reads the others,
// which are not differentiable.
package op
