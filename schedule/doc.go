// Package schedule says what the learning rate is at every update of a
// training run.
//
// A [Schedule] is a pure function: the learning rate of update u follows from
// u, the base rate, the length of the run and its seed alone. Nothing is stepped
// and nothing is saved; a resumed run asks for the same u and gets the same
// number. The one exception is plateau, which looks at evaluations: what it has
// seen is its [Plateau], which a checkpoint keeps.
//
// The formulas are PyTorch's (torch.optim.lr_scheduler) for step, multistep,
// exponential, one-cycle and plateau, and timm's (timm.scheduler), which continue
// PyTorch's, for cosine, poly and tanh with their cycles. Warm-up, noise, and the
// difference between per update and per epoch are timm's: per epoch, the rate is
// constant inside an epoch, so that epoch 0 of a run with warm-up goes wholly at
// the warm-up rate.
//
// Unlike in timm, the number of epochs is that of the whole run: warm-up before
// the schedule, all cycles and the cool-down are inside of it and make the rest
// shorter. timm adds them to the epochs that it is told.
//
// Package curve, below, reads the loss over the learning rate of a range test.
package schedule
