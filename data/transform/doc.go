// Package transform turns 8-bit pictures into a network's input.
//
// A [Pipeline] is a list of [Op] on the picture (crop, resize, augmentations)
// followed by one fused pass that flips, normalises and writes float32 in the order
// height, width, channel straight into the batch, from which boxes may be erased. [NewTrain]
// builds the augmenting pipeline of a recipe, [NewEval] its deterministic twin;
// both follow torchvision and timm, whose rules published weights expect.
//
// Where a random crop is the only op, as in most recipes, there is but one pass:
// the resize writes the flipped and normalised floats itself, and of a JPEG only
// what the crop needs is decoded, at 1/2, 1/4 or 1/8 of its size if the crop then
// still has the network's size. Where augmentations follow the crop, decoding is as
// thrifty, and they work on bytes of the network's size. Evaluation always decodes the whole at full size.
//
// Automatic augmentation (RandAugment, AutoAugment, AugMix, 3-Augment,
// TrivialAugment; [Train] has their names) is a choice of steps, each an operation
// of package adjust with a probability and a magnitude; the tables and the
// distributions are timm's.
//
// An Op draws only from the stream it is given, which the caller keys by epoch
// and sample, so a picture's augmentation depends on nothing else. It works in
// the caller's [Workspace] and allocates nothing once that has grown.
package transform
