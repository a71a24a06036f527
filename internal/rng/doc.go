// Package rng makes random streams that are named instead of passed around.
//
// A stream is keyed by the run's seed, a purpose ("init", "shuffle", "augment",
// "dropout") and any number of keys such as the epoch and a sample's index.
// Equal keys give equal draws, and different keys give independent ones, so a
// draw does not depend on how many workers there are or on what was drawn
// before it, and a resumed run needs no saved generator state: it asks for the
// stream of the epoch and index where it stopped.
//
// A [Stream] is a plain value of two words. Making one costs a few
// multiplications and no allocation as long as it does not outlive its function.
package rng
