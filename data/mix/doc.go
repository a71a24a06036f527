// Package mix mixes the samples of a batch with each other: mixup (Zhang et al.
// 2018, arXiv 1710.09412) blends two pictures, CutMix (Yun et al. 2019, arXiv
// 1905.04899) puts a rectangle of one into the other. Targets are mixed by the
// same shares.
//
// The partner of sample i of n is sample n-1-i, as in timm. A batch of an odd
// number of samples, which timm refuses, has a middle one that is its own partner
// and stays as it is. Because partners are partners of each other, two are mixed
// where they lie, without a copy of the batch.
//
// What is drawn for a batch is a function of (seed, epoch, batch number) alone.
package mix
