// Package tfevents writes scalar curves as TensorBoard reads them.
//
// An event file is a TFRecord file (length, masked CRC-32C of the length,
// data, masked CRC-32C of the data; integers little-endian) whose records are
// protocol buffers of type tensorflow.Event. Only the few fields that scalars
// need are written, field by field. The layouts are TensorFlow's
// core/lib/io/record_writer.h, core/util/event.proto and
// core/framework/summary.proto.
package tfevents
