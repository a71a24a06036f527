// Package jpeg decodes JPEG files to the very pixels that libjpeg-turbo, and so
// Pillow and torchvision, make of them.
//
// Decoders differ in what the standard leaves open. Published networks were
// trained on libjpeg's answers, so this one has its inverse DCT (the accurate
// integer one, jidctint), its "fancy" triangle filter for subsampled colour and
// its fixed-point conversion to RGB, each bit for bit. The standard library's
// decoder repeats the colour of subsampled pixels instead of interpolating it,
// which is off by tens of levels along edges.
//
// It reads 8-bit baseline, extended sequential and progressive files, Huffman
// coded, with one (gray), three (YCbCr or RGB) or four components (CMYK, YCCK),
// following ITU-T T.81. A [Decoder] is reused from file to file and then
// allocates nothing.
package jpeg
