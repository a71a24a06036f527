// Package train is the training system around a network: the loop, evaluation,
// the LR range test and the fine-tuning plan.
//
// [Open] composes all parts from a configuration: data, model, weights, optimizer
// and schedule, and refuses bad input before any work starts. A [Network] is a
// model with its parameters and compiled programs; a [Trainer] runs epochs over
// it, saves checkpoints from which it goes on bit for bit, and stops at a loss
// that is not finite without touching what was saved; an [Evaluator] measures;
// [Trainer.FindLR] sweeps the learning rate and leaves no trace.
//
// The package tells what happens as events of package report and never prints.
// All parts can be used without a configuration too.
package train
