//go:build !amd64

package pixel

// There is no assembly: active is generic, and none of these is called.

func idctAVX2(dst *uint8, stride int, block *int32) {}

func upsampleAcrossAVX2(out, near *uint8, n int) {}

func upsampleBothAVX2(out, near, far *uint8, n int) {}

func yccToRGBAVX2(dst, luma, cb, cr *uint8, n int) {}

func lumaAVX2(dst, rgb *uint8, n int) {}

func transposeAVX2(dst *uint8, dstStride, dstStep int, src *uint8, srcStride, srcStep, n int) {}

func resampleGrayAVX2(dst, src *uint8, first, count *int, taps *int32, size, n int) {}

func resampleRGBAVX2(dst, src *uint8, first, count *int, taps *int32, size, n int) {}

func resampleGrayAVX512(dst, src *uint8, first, count *int, taps *int32, size, n int) {}

func resampleRGBAVX512(dst, src *uint8, first, count *int, taps *int32, size, n int) {}

func resampleBytesAVX2(dst, src *uint8, stride int, taps *int32, count, n int) {}

func resampleBytesAVX512(dst, src *uint8, stride int, taps *int32, count, n int) {}

func resampleFloatsAVX2(dst *float32, src *uint8, stride int, taps *int32, count, n int, norm *float32) {
}

func resampleFloatsAVX512(dst *float32, src *uint8, stride int, taps *int32, count, n int, norm *float32) {
}

func normalizeAVX2(dst *float32, src *uint8, n int, norm *float32) {}

func normalizeAVX512(dst *float32, src *uint8, n int, norm *float32) {}

func blendAVX2(dst, a, b *uint8, n int, alpha float32) {}

func smoothAVX2(dst, above, in, below *uint8, channels, n int) {}

func boxDownAVX2(out *uint8, sums *uint32, before, enters, after *uint8, n int, weight, far uint32) {
}

func bilinearAVX2(in *uint8, taps *int) uint32 { return 0 }

func bilinearRowAVX2(in *uint8, taps *int) uint32 { return 0 }

func bicubicAVX2(in *uint8, taps *int) uint32 { return 0 }

func bicubicRowAVX2(in *uint8, taps *int) uint32 { return 0 }
