// Package imaging decodes and resizes 8-bit images the way Pillow does, so that
// a network trained or published with PyTorch sees the same pixels here.
//
//   - [Decode] reads JPEG, PNG, GIF, BMP and WebP into gray or RGB, turns the
//     picture upright by its EXIF orientation, and drops alpha. A [Decoder] does
//     the same in memory of its own, and can decode the part of a picture that a
//     training crop takes, smaller if that is enough.
//   - [Resizer] resamples any box of an image with Pillow's antialiased filters,
//     in Pillow's fixed-point arithmetic: its results are equal bit for bit. It
//     can flip and normalise to floats on the way.
//   - [Image] is the pixel buffer of both: interleaved bytes that are reused from
//     one picture to the next, with [Image.Crop] giving views without a copy.
//
// The loops over pixels are package pixel's, in vector instructions where the
// processor has them; package jpeg decodes JPEGs, and package adjust changes
// pictures for augmentation.
//
// Nothing here draws random numbers or knows about batches; see package
// transform for that.
package imaging
