// Package layers holds the building blocks that families of networks share.
//
// A [Style] is what all convolutions of a network have in common: the norm behind
// them and the activation behind that, and the attention that ends a residual branch.
// Its methods declare blocks of them. Configurations choose each of these by a short
// [Spec] such as "eca:k=5" ([Choice], [Style.With]); what there is to choose from is in
// tables of [Entry], one table a family, in the file that has the layers' code.
// [Residual] adds a block to its shortcut, which is the input itself, a
// [Style.ConvNorm] of one pixel, or an [OptionA]. A network ends in a head such as
// [NewPoolHead].
//
// What takes more than one value is no graph.Module: a [RoIPool] pools regions of interest
// of a map, plainly or deformably. No network of package models has one; programs that
// build detectors do.
//
// Blocks declare their parameters under the scopes that they are given, so a
// family keeps the names of the code whose weights it loads.
package layers
