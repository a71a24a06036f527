// Package study trains the variants of a study (configs.Study) with several seeds each
// and puts what they reach into a table.
//
// Variants are compared by the figure that chooses the best epoch (eval.metric): top1, map
// or r2 where the configuration does not say. The folder of a study holds table.md and
// table.csv with a row for each variant, runs.csv with one for each run, and a run folder
// VARIANT/seed-N for each variant and seed. A run that is finished is not repeated, and one
// that was interrupted goes on where it stopped. What is the same in two studies comes out
// the same: a run depends on its configuration and seed alone.
package study
