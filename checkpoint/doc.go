// Package checkpoint reads and writes weights and the state of training runs.
//
// It knows files, not models: a [Tensor] is a name, an element type, a shape
// and bytes in file layout, and [Tensors] is an ordered collection of them.
//
// # Weights of any origin
//
// [Open] reads safetensors files (one, or shards with an index), PyTorch files
// in the zip format and in the legacy format, and the folders that [Save] and
// training runs leave. It judges by content, not by the ending of the name.
// PyTorch files are pickles, which are programs; the reader here runs none of
// their calls, accepts only tensors, numbers, strings and containers, and
// refuses everything else by name. [Match] then compares what a model wants
// with what the file has and names the first difference.
//
// # The state of a run
//
// [Save] writes a [State] to a folder: weights.safetensors under PyTorch's
// names and layouts, which PyTorch loads as it is, optimizer.safetensors,
// ema.safetensors and, last, meta.json with a [Meta], which knows the size and
// checksum of the others. The folder is replaced as a whole: whenever the
// process is killed, a complete checkpoint remains, and [Load] and [Newest]
// find it even between the two renames that a replacement takes.
package checkpoint
