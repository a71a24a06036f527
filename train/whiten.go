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

// whiten sets the filters of the model's whitening convolution, if it has one: each
// direction of the patches of the training images, an eigenvector of the matrix of their
// second moments divided by the root of its eigenvalue, and then their opposites.
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
	filters, err := whiteningFilters(moments)
	if err != nil {
		return fmt.Errorf("making %s of the training images: %w", p.Name, err)
	}
	if len(filters) != p.Len() {
		return fmt.Errorf("making %s: it has %v values, and whitening patches of its size gives %d", p.Name, p.FileShape(), len(filters))
	}
	return p.Write(filters)
}

// patchMoments is the matrix of second moments of all patches (C, KH, KW) of the
// images, without augmentation, that a weight of this shape (K, C, KH, KW) sees.
func (j *Job) patchMoments(shape graph.Shape) (*mat.SymDense, error) {
	sample := make([]int, min(whitenSample, j.TrainData.Len()))
	for i := range sample {
		sample[i] = i * j.TrainData.Len() / len(sample)
	}
	loader, err := NewEvalLoader(data.Subset(j.TrainData, sample), j.trainedAt(), 256, j.Config.Data.Workers, j.Config.Train.OnBadImage == "stop")
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

// whiteningFilters are the filters (2n, n) for a matrix (n, n) of second moments.
func whiteningFilters(moments *mat.SymDense) ([]float32, error) {
	n := moments.SymmetricDim()
	var e mat.EigenSym
	if !e.Factorize(moments, true) {
		return nil, fmt.Errorf("their second moments have no eigenvectors that could be found")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	filters := make([]float32, 2*n*n)
	for k, value := range e.Values(nil) {
		scale := 1 / math.Sqrt(max(value, 0)+whitenEps)
		sign := 0.0
		for i := range n { // an eigenvector's sign means nothing: its first value is positive
			v := vectors.At(i, k)
			if sign == 0 && v != 0 {
				sign = math.Copysign(1, v)
			}
			filters[k*n+i] = float32(sign * scale * v)
			filters[(n+k)*n+i] = -filters[k*n+i]
		}
	}
	return filters, nil
}
