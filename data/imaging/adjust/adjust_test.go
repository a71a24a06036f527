package adjust_test

import (
	"bytes"
	"testing"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/adjust"
	"github.com/seed52467199/trainer/data/internal/golden"
	"github.com/seed52467199/trainer/internal/rng"
)

const testdata = "testdata"

var fill = [3]uint8{124, 7, 233}

// apply does the operation of a golden case.
func apply(t testing.TB, a *adjust.Adjuster, dst, src *imaging.Image, c *golden.Case) {
	t.Helper()
	var table adjust.Table
	arg := func(i int) float64 { return c.Args[i] }
	affine := func(m adjust.Matrix) {
		filter, err := imaging.ParseFilter(c.Filter)
		if err != nil {
			t.Fatal(err)
		}
		adjust.Affine(dst, src, m, filter, fill)
	}
	switch c.Op {
	case "AutoContrast":
		table.AutoContrast(src)
	case "Equalize":
		table.Equalize(src)
	case "Invert":
		table.Invert()
	case "Posterize":
		table.Posterize(int(arg(0)))
	case "Solarize":
		table.Solarize(arg(0))
	case "SolarizeAdd":
		table.SolarizeAdd(int(arg(0)), int(arg(1)))
	case "Brightness":
		table.Brightness(arg(0))
	case "Contrast":
		table.Contrast(src, arg(0))
	case "Color":
		adjust.Color(dst, src, arg(0))
		return
	case "Gray":
		adjust.Gray(dst, src)
		return
	case "Hue":
		adjust.Hue(dst, src, arg(0))
		return
	case "Sharpness":
		adjust.Sharpness(dst, src, arg(0))
		return
	case "Blur":
		a.Blur(dst, src, arg(0))
		return
	case "Gaussian":
		a.Gaussian(dst, src, arg(0))
		return
	case "ShearX":
		affine(adjust.Shear(arg(0), 0))
		return
	case "ShearY":
		affine(adjust.Shear(0, arg(0)))
		return
	case "TranslateX":
		affine(adjust.Translation(arg(0), 0))
		return
	case "TranslateY":
		affine(adjust.Translation(0, arg(0)))
		return
	case "Rotate":
		affine(adjust.Rotation(src.Width, src.Height, arg(0)))
		return
	case "BlendMirrored":
		mirrored := imaging.New(src.Width, src.Height, src.Channels)
		adjust.Affine(mirrored, src, adjust.Matrix{-1, 0, float64(src.Width), 0, 1, 0}, imaging.Bilinear, fill)
		adjust.Blend(dst, src, mirrored, float32(arg(0)))
		return
	default:
		t.Fatalf("no operation %q", c.Op)
	}
	table.Apply(dst, src)
}

// source reads a picture as it is stored.
func source(t testing.TB, file string) *imaging.Image {
	t.Helper()
	im := new(imaging.Image)
	if err := imaging.Decode(im, golden.Picture(t, testdata, file), 0); err != nil {
		t.Fatal(err)
	}
	return im
}

func TestEqualsPillow(t *testing.T) {
	var a adjust.Adjuster
	var got imaging.Image
	for _, c := range golden.Read(t, testdata, "pillow") {
		src := source(t, c.File)
		before := bytes.Clone(src.Pix)
		apply(t, &a, &got, src, &c)
		if most, differing := largest(&got, c.Want); most != 0 {
			t.Errorf("%s %v %s of %s: %d values differ, by up to %d", c.Op, c.Args, c.Filter, c.File, differing, most)
		}
		if !bytes.Equal(before, src.Pix) {
			t.Errorf("%s wrote to its source", c.Op)
		}
	}
}

// Torchvision sums up in float32 and rounds once, we round rows first.
func TestGaussianIsTorchvisions(t *testing.T) {
	var a adjust.Adjuster
	var got imaging.Image
	values, off := 0, 0
	for _, c := range golden.Read(t, testdata, "torchvision") {
		apply(t, &a, &got, source(t, c.File), &c)
		most, differing := largest(&got, c.Want)
		if most > 1 {
			t.Errorf("%s %v of %s: %d values differ, by up to %d", c.Op, c.Args, c.File, differing, most)
		}
		values += len(c.Want)
		off += differing
	}
	if off*3 > values {
		t.Errorf("%d of %d values are off by one", off, values)
	}
	t.Logf("%d of %d values are off by one", off, values)
}

// largest is the greatest difference and the number of values that differ.
func largest(got *imaging.Image, want []uint8) (most, differing int) {
	if len(got.Pix) != len(want) {
		return 256, len(want)
	}
	for i, w := range want {
		if d := max(int(w), int(got.Pix[i])) - min(int(w), int(got.Pix[i])); d > 0 {
			most = max(most, d)
			differing++
		}
	}
	return most, differing
}

// random is a picture of noise.
func random(width, height, channels int) *imaging.Image {
	im := imaging.New(width, height, channels)
	s := rng.New(1, "noise")
	for i := range im.Pix {
		im.Pix[i] = uint8(s.IntN(256))
	}
	return im
}

// A view of a larger picture gives what a copy of it gives.
func TestViews(t *testing.T) {
	var a adjust.Adjuster
	var got, want, alone imaging.Image
	for _, channels := range []int{1, 3} {
		view := random(50, 40, channels).Crop(7, 5, 31, 22)
		alone.CopyFrom(&view)
		for _, c := range ops() {
			apply(t, &a, &got, &view, &c)
			apply(t, &a, &want, &alone, &c)
			if !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%s: a view and a copy of it give different pixels", c.Op)
			}
		}
	}
}

// ops is one case of every operation.
func ops() []golden.Case {
	list := []golden.Case{
		{Op: "AutoContrast"}, {Op: "Equalize"}, {Op: "Invert"}, {Op: "Gray"},
		{Op: "Posterize", Args: []float64{3}}, {Op: "Solarize", Args: []float64{100}}, {Op: "SolarizeAdd", Args: []float64{50, 128}},
		{Op: "Brightness", Args: []float64{1.3}}, {Op: "Contrast", Args: []float64{1.3}}, {Op: "Color", Args: []float64{1.3}},
		{Op: "Sharpness", Args: []float64{1.3}}, {Op: "Hue", Args: []float64{0.1}}, {Op: "Blur", Args: []float64{1.3}},
		{Op: "Gaussian", Args: []float64{1.3}},
	}
	for _, filter := range []string{"nearest", "bilinear", "bicubic"} {
		list = append(list, golden.Case{Op: "ShearX", Args: []float64{0.2}, Filter: filter}, golden.Case{Op: "ShearY", Args: []float64{0.2}, Filter: filter},
			golden.Case{Op: "TranslateX", Args: []float64{9.3}, Filter: filter}, golden.Case{Op: "TranslateY", Args: []float64{9.3}, Filter: filter},
			golden.Case{Op: "Rotate", Args: []float64{20}, Filter: filter})
	}
	return list
}

func TestNoAllocation(t *testing.T) {
	var a adjust.Adjuster
	var dst imaging.Image
	for _, channels := range []int{1, 3} {
		src := random(33, 28, channels)
		for _, c := range ops() {
			apply(t, &a, &dst, src, &c)
			if n := testing.AllocsPerRun(20, func() { apply(t, &a, &dst, src, &c) }); n != 0 {
				t.Errorf("%s %s, %d channels: %v allocations, want 0", c.Op, c.Filter, channels, n)
			}
		}
	}
}

func BenchmarkAdjust(b *testing.B) {
	var a adjust.Adjuster
	var dst imaging.Image
	src := random(224, 224, 3)
	for _, c := range ops() {
		b.Run(c.Op+c.Filter, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(src.Pix)))
			for b.Loop() {
				apply(b, &a, &dst, src, &c)
			}
		})
	}
}
