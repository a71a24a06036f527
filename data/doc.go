// Package data reads labelled pictures and makes the batches that a network is
// trained on.
//
// [Open] finds a [Dataset] by the name of its format: digits (embedded), idx
// (MNIST), cifar, folder, npz, tar (WebDataset shards), csv, tensors; [Register]
// adds more, and [FromPixels] makes one of pictures in memory. Whatever can be known
// to be wrong with the files is refused there, before training starts. [Options] say
// what the classes are, and what part of the samples becomes a split.
//
// A Dataset whose samples have several labels, or values, is a [Targeted]. One of a
// table's rows has tensors that [Standardize] makes network input of.
//
// A [Loader] takes a Dataset and a [Transform] and hands out batches, epoch by
// epoch:
//
//	file -> Dataset.Read -> decode -> Transform -> Batch (N, H, W, C) -> mix
//
// A Transform that takes files, as transform.Pipeline does, decodes by itself, and
// no more than it needs.
//
// Its workers run ahead of the consumer behind a bounded queue and reuse the
// batches that come back. Every random choice is keyed by (seed, purpose, epoch,
// sample), so a batch's contents do not depend on the number of workers, and an
// epoch that is taken up in the middle goes on with exactly the batches that
// would have followed.
//
// The packages below: imaging decodes and resizes as Pillow does, transform
// crops, flips and normalises, mix mixes the samples of a batch, digits holds the embedded pictures. `trainer bench
// --mode data` times all of it, and the benchmarks here and below its parts.
package data
