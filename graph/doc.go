// Package graph defines networks as Gorgonia graphs and runs them as compiled
// programs.
//
// A [Params] set owns a model's weights: modules declare them through a [Scope]
// under PyTorch's names, [Params.Place] gives them one contiguous piece of a
// device's memory, with their gradients beside it. A [Module] adds its
// computation to a [Graph], whose methods, such as [Graph.Conv2D], add one
// operation each; the first error sticks and [Graph.Err] returns it.
//
// [Compile] turns a graph into a [Program] for one device: it differentiates the
// loss with gorgonia.Backpropagate, keeps what the results need, fuses patterns
// (such as batch norm, residual add and relu), packs everything that lives
// between operations into one arena by lifetime, and asks the device for a
// kernel for each step. Running a program allocates nothing.
//
// Most memory holds activations between the forward pass, which makes them, and the
// backward pass, which reads them. A [Target] with a limit of memory has the backward
// pass repeat forward steps, up to whole blocks, instead of keeping what they made:
// [Program.MemoryPlan] tells before the first run what that saves and costs. Only the
// time changes: a batch norm is repeated with the statistics of the first time and
// leaves the running ones alone, a mask is drawn again from the same stream, and
// every repetition gives the same bits. Without a limit too, a batch norm or the like
// is repeated instead of kept, as long as all repetitions together take less than
// half a percent of a step, which cannot be told from nothing.
//
// A graph is made for one batch size and one [Mode]. Programs share parameters,
// and those of one [Workspace] share their arena, so an evaluation or a short
// last batch is one more program and hardly any more memory.
package graph
