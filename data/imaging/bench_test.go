package imaging_test

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
)

// photograph is a picture of 500x375 with detail, and its JPEG (4:2:0, quality 90).
func photograph(b testing.TB) (*imaging.Image, []byte) {
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

// Real photographs, from memory.
func BenchmarkDecodePhotographs(b *testing.B) {
	root := os.Getenv("TRAINER_DATA")
	paths, _ := filepath.Glob(filepath.Join(root, "hymenoptera", "train", "*", "*.jpg"))
	if root == "" || len(paths) == 0 {
		b.Skip("TRAINER_DATA names no folder with photographs")
	}
	var files [][]byte
	for _, p := range paths {
		file, err := os.ReadFile(p)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, file)
	}
	bench := func(name string, decode func(d *imaging.Decoder, info imaging.Info) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var d imaging.Decoder
			images := 0
			for b.Loop() {
				for _, f := range files {
					info, err := d.Open(f)
					if err == nil {
						err = decode(&d, info)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				images += len(files)
			}
			b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
		})
	}
	var im imaging.Image
	bench("RGB", func(d *imaging.Decoder, _ imaging.Info) error { return d.Decode(&im, 3) })
	bench("gray", func(d *imaging.Decoder, _ imaging.Info) error { return d.Decode(&im, 1) })
	bench("luma", func(d *imaging.Decoder, info imaging.Info) error {
		_, _, err := d.DecodePart(0, 0, info.Width, info.Height, 1, info.Width)
		return err
	})
	bench("quarter of RGB", func(d *imaging.Decoder, info imaging.Info) error {
		w, h := info.Width/2, info.Height/2
		_, _, err := d.DecodePart(w/2, h/2, w, h, 3, w)
		return err
	})
	bench("eighth size", func(d *imaging.Decoder, info imaging.Info) error {
		_, _, err := d.DecodePart(0, 0, info.Width, info.Height, 3, 1)
		return err
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
