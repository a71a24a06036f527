// Package layers holds the building blocks that families of networks share.
//
// A [Style] is what all convolutions of a network have in common: their
// initialisation, the norm behind them and the activation behind that. Its
// methods declare blocks of them. [Residual] adds a block to its shortcut, which
// is the input itself, a [Style.ConvNorm] of one pixel, or an [OptionA]. A
// network ends in a head such as [NewPoolHead].
//
// Blocks declare their parameters under the scopes that they are given, so a
// family keeps the names of the code whose weights it loads.
package layers
