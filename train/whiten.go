package train

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
)

// whitenSample is how many training images a whitening convolution is made of.
const whitenSample = 5000

// whitenEps is added to the variance along each direction, so that noise is not
// blown up (Jordan, arXiv 2404.00498).
const whitenEps = 5e-4

// whiten sets the filters of the model's whitening convolution, if it has one: see
// models.Config.Whiten and whiteningFilters.
func (j *Job) whiten() error {
	layer := j.Model.Config.Whiten
	if layer == "" {
		return nil
	}
	p := j.Network.Params.Lookup(layer + ".weight")
	if p == nil {
		return fmt.Errorf("model %s has no %s to whiten its input with", j.Model.Name, layer)
	}
	moments, err := j.patchMoments(p.FileShape())
	if err != nil {
		return fmt.Errorf("making %s of the training images: %w", p.Name, err)
	}
	weight, err := p.Read()
	if err != nil {
		return err
	}
	if err := whiteningFilters(weight, p.FileShape()[0], moments); err != nil {
		return fmt.Errorf("making %s of the training images: %w", p.Name, err)
	}
	return p.Write(weight)
}

// patchMoments is the matrix of second moments of all patches (C, KH, KW) of the
// images, without augmentation, that a weight of this shape (K, C, KH, KW) sees.
func (j *Job) patchMoments(shape graph.Shape) (*mat.SymDense, error) {
	loader, err := NewEvalLoader(data.Spaced(j.TrainData, whitenSample), j.trainedAt(), 256, j.Config.Data.Workers, j.Config.Train.OnBadImage == "stop")
	if err != nil {
		return nil, err
	}
	channels, kh, kw := shape[1], shape[2], shape[3]
	n := channels * kh * kw
	sums, count := make([]float64, n*n), 0
	patch := make([]float64, n)
	it := loader.Epoch(context.Background(), 0, 0)
	defer it.Close()
	for it.Next() {
		b := it.Batch()
		for i := range b.N {
			image := b.Images[i*b.Height*b.Width*channels:]
			for y := range b.Height - kh + 1 {
				for x := range b.Width - kw + 1 {
					for c := range channels {
						for dy := range kh {
							for dx := range kw {
								patch[(c*kh+dy)*kw+dx] = float64(image[((y+dy)*b.Width+x+dx)*channels+c])
							}
						}
					}
					for a, v := range patch {
						for k, u := range patch[:a+1] {
							sums[a*n+k] += v * u
						}
					}
					count++
				}
			}
		}
		it.Release(b)
	}
	if err := it.Err(); err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, fmt.Errorf("none of the images could be read")
	}
	m := mat.NewSymDense(n, nil)
	for a := range n {
		for k := range a + 1 {
			m.SetSym(a, k, sums[a*n+k]/float64(count))
		}
	}
	return m, nil
}

// whiteningFilters writes filters (count, n) for a matrix (n, n) of second moments: for
// each direction, an eigenvector, divided by the root of its eigenvalue, in the order of
// falling variance, and then their opposites. Where there are too few filters for all
// directions, those of least variance have none; filters beyond stay as they are.
func whiteningFilters(filters []float32, count int, moments *mat.SymDense) error {
	n := moments.SymmetricDim()
	var e mat.EigenSym
	if !e.Factorize(moments, true) {
		return fmt.Errorf("their second moments have no eigenvectors that could be found")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	values, directions := e.Values(nil), min(n, count/2)
	for k := range directions {
		column := n - 1 - k // eigenvalues rise
		scale := 1 / math.Sqrt(max(values[column], 0)+whitenEps)
		sign := 0.0
		for i := range n { // an eigenvector's sign means nothing: its first value is positive
			v := vectors.At(i, column)
			if sign == 0 && v != 0 {
				sign = math.Copysign(1, v)
			}
			filters[k*n+i] = float32(sign * scale * v)
			filters[(directions+k)*n+i] = -filters[k*n+i]
		}
	}
	return nil
}
