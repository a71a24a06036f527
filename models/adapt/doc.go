// Package adapt changes pretrained weights to images of another number of
// channels, gray ones above all, or of another size.
//
// Replacing the first convolution by a fresh one makes the shapes fit and throws
// away the filters on which all other layers rest. [FirstConv] makes the new
// filters out of the old ones instead. [Positions] and [RelativeBias] do the same
// for what a transformer learned about each place of an image. All is arithmetic on
// weights in file layout and knows neither files nor models; the names of the
// layers are in the models' configurations.
package adapt
