// Package onnx writes networks as ONNX files for other runtimes.
//
// [Export] traces a module's computation in evaluation, computes what depends on
// parameters alone, such as standardized weights, and translates the rest, operation by
// operation, into nodes of opset 17 (or, for deformable convolutions, 19). Networks compute on channels-last maps here and on
// channels-first ones there: convolutions, pools and norms are written channels first,
// what lies between them follows, and only where a map becomes tokens is it transposed.
// The batch is free; height and width are fixed.
//
// Of the format itself the package knows the few messages that it writes (onnx.proto,
// IR version 8).
package onnx
