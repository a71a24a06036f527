// Package optim holds the optimizers: update rules over groups of parameters.
//
// [GroupBy] sorts the parameters into groups that share a learning rate factor and a weight
// decay; [New] makes an [Optimizer] whose state lies beside the parameters'
// memory, so that an update of all parameters is one pass. [Optimizer.Step] takes the
// learning rate of the moment from the caller's schedule. [Clip] bounds gradients, [SAM]
// moves weights for a second backward pass, and [EMA] keeps an exponential moving average
// of the weights.
//
// The arithmetic is an operation of package op, so it runs on the device where
// the parameters are.
package optim
