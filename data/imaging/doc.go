// Package imaging decodes and resizes 8-bit images the way Pillow does, so that
// a network trained or published with PyTorch sees the same pixels here.
//
//   - [Decode] reads JPEG, PNG, GIF, BMP and WebP into gray or RGB, turns the
//     picture upright by its EXIF orientation, and drops alpha.
//   - [Resizer] resamples any box of an image with Pillow's antialiased filters,
//     in Pillow's fixed-point arithmetic: its results are equal bit for bit.
//   - [Image] is the pixel buffer of both: interleaved bytes that are reused from
//     one picture to the next, with [Image.Crop] giving views without a copy.
//
// Nothing here draws random numbers or knows about batches; see package
// transform for that.
package imaging
