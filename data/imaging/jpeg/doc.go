// Package jpeg decodes JPEG files to the very pixels that libjpeg-turbo, and so
// Pillow and torchvision, make of them.
//
// Decoders differ in what the standard leaves open. Published networks were
// trained on libjpeg's answers, so this one has its inverse DCT (the accurate
// integer one, jidctint), its "fancy" triangle filter for subsampled colour, its
// fixed-point conversion to RGB and its scaled decoding (jidctred), each bit for
// bit. The standard library's decoder repeats the colour of subsampled pixels
// instead of interpolating it, which is off by tens of levels along edges.
// Faster ones in Go were no way out: github.com/gen2brain/jpegn v0.2.0, the best
// of them, is off by up to 11 levels on 4:2:0 files, refuses most progressive
// ones, has no scaled decoding, allocates every picture anew, and still takes
// three times as long.
//
// It reads 8-bit baseline, extended sequential and progressive files, Huffman
// coded, with one (gray), three (YCbCr or RGB) or four components (CMYK, YCCK),
// following ITU-T T.81. A [Decoder] is reused from file to file and then
// allocates nothing.
//
// # Speed
//
// Most of the time goes into the entropy code, which must be read in order. Each
// segment of it is first copied without its stuffed bytes, so that the bit reader
// need not look for markers; one look into a table gives a coefficient with its
// run; tables are kept while files bring the same ones. The transform, the
// upsampling and the conversion of colour are package pixel's.
//
// [Decoder.DecodePart] leaves out what a part of the picture does not need: the
// transform and the colour of everything around it, the code below it, chroma if
// gray is asked for, and resolution that would be thrown away.
package jpeg
