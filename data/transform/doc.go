// Package transform turns 8-bit pictures into a network's input.
//
// A [Pipeline] is a list of [Op] on the picture (crop, resize, and later
// augmentations) followed by one fused pass that flips, normalises and writes
// float32 in the order height, width, channel straight into the batch. [NewTrain]
// builds the augmenting pipeline of a recipe, [NewEval] its deterministic twin;
// both follow torchvision and timm, whose rules published weights expect.
//
// An Op draws only from the stream it is given, which the caller keys by epoch
// and sample, so a picture's augmentation depends on nothing else. It works in
// the caller's [Workspace] and allocates nothing once that has grown.
package transform
