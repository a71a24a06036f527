// Package digits embeds a small set of real pictures, so that a network can be
// trained without any download: 1,797 handwritten digits of 8x8 gray pixels,
// the test part of the UCI set Optical Recognition of Handwritten Digits.
//
// Source: E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository,
// https://doi.org/10.24432/C50P49, under CC BY 4.0, in the copy that the
// scikit-learn package ships. LICENSE.md beside the file says more.
package digits
