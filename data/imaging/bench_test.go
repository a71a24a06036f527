package imaging_test

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"math"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
)

// photograph is a picture of 500x375 with detail, and its JPEG (4:2:0, quality 90).
func photograph(b *testing.B) (*imaging.Image, []byte) {
	b.Helper()
	const w, h = 500, 375
	im := imaging.New(w, h, 3)
	std := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			for c := range 3 {
				v := uint8(127 + 60*math.Sin(float64(x*(c+1))/17)*math.Cos(float64(y)/23) + float64((x*7919+y*104729)%41))
				im.Row(y)[3*x+c] = v
				std.Pix[y*std.Stride+4*x+c] = v
			}
			std.Pix[y*std.Stride+4*x+3] = 255
		}
	}
	var file bytes.Buffer
	if err := stdjpeg.Encode(&file, std, &stdjpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return im, file.Bytes()
}

func BenchmarkDecodeJPEG(b *testing.B) {
	_, file := photograph(b)
	b.Run("this package to RGB", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(file)))
		var im imaging.Image
		for b.Loop() {
			if err := imaging.Decode(&im, file, 3); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("standard library to planes", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			if _, err := stdjpeg.Decode(bytes.NewReader(file)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkResize(b *testing.B) {
	im, _ := photograph(b)
	for _, f := range []imaging.Filter{imaging.Nearest, imaging.Bilinear, imaging.Bicubic, imaging.Lanczos} {
		b.Run("500x375 to 224x224 "+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			var r imaging.Resizer
			var out imaging.Image
			for b.Loop() {
				r.Resize(&out, im, im.Bounds(), 224, 224, f)
			}
		})
	}
}
