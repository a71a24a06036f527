// Package metric says how good a network's outputs are: figures of outputs against
// labels or targets, for each task of package data. It knows numbers and nothing of
// networks, and adds up in the order of the images, so that a figure does not depend
// on how they were cut into batches.
//
// Rates are in percent. A figure that is not defined, such as the area under a curve
// where one of the two kinds is missing, is left out.
package metric
