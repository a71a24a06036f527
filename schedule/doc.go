// Package schedule says what the learning rate is at every update of a
// training run.
//
// A [Schedule] is a pure function: the learning rate of update u follows from
// u, the base rate and the length of the run alone. Nothing is stepped and
// nothing is saved; a resumed run asks for the same u and gets the same number.
//
// The formulas are PyTorch's (torch.optim.lr_scheduler) for step, multistep,
// cosine and one-cycle. Warm-up, and the difference between per update and per
// epoch, are timm's: per epoch, the rate is constant inside an epoch, so that
// epoch 0 of a run with warm-up goes wholly at the warm-up rate.
//
// Package curve, below, reads the loss over the learning rate of a range test.
package schedule
