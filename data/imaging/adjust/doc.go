// Package adjust changes 8-bit pictures for augmentation, as Pillow does: its
// ImageOps, ImageEnhance, ImageFilter.GaussianBlur and Image.transform. Results
// are Pillow's bit for bit, in gray and in RGB.
//
//   - A [Table] maps the values of each channel: contrast stretching, histogram
//     equalisation, inversion, posterising, solarising, brightness and contrast.
//   - An [Adjuster] does what looks at more than one value at a time: colour, hue,
//     sharpness, blur.
//   - [Affine] shears, translates and rotates.
//
// What needs colour leaves a gray picture as it is, by its definition: gray has
// no saturation to change and no hue to turn.
package adjust
