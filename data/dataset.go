package data

import (
	"fmt"

	"github.com/seed52467199/trainer/data/imaging"
)

// Dataset is a list of labelled pictures. It is safe for concurrent use: the
// loader's workers read from it at once.
type Dataset interface {
	// Len is the number of samples.
	Len() int
	// Classes are the names of the classes, in the order of their labels.
	Classes() []string
	// Label is the class of sample i, from 0 to len(Classes())-1.
	Label(i int) int
	// Channels is what the pictures are stored with: 1 gray, 3 RGB; or the number of
	// features of a table's rows.
	Channels() int
	// Name tells a person which sample i is: a path, or a file and a place in it.
	Name(i int) string
	// Read fills s with sample i. What s refers to may be the data set's own
	// memory and is only to be read. An error names the file.
	Read(i int, s *Sample) error
}

// Sample is one picture as it is stored, in one of three forms. The others are
// empty. A Sample's buffers are reused from one Read to the next.
type Sample struct {
	// Encoded is a picture file's contents, for imaging.Decode.
	Encoded []byte
	// Image is a picture in memory.
	Image imaging.Image
	// Tensor is network input.
	Tensor Tensor

	file []byte // the buffer behind Encoded
}

// Tensor is one float32 picture in the order channel, height, width.
type Tensor struct {
	Channels, Height, Width int
	Values                  []float32
	// Features names the channels of a table's row, which Standardize makes network
	// input of. Without, the values are that already.
	Features []string
}

// reset empties s and keeps its buffer.
func (s *Sample) reset() { *s = Sample{file: s.file} }

// Picture is the sample in 8 bits: its Image, or Encoded decoded into buffer,
// with the given channels where decoding can choose (0: as stored). It fails on
// a Tensor.
func (s *Sample) Picture(buffer *imaging.Image, channels int) (*imaging.Image, error) {
	switch {
	case s.Tensor.Values != nil:
		return nil, fmt.Errorf("the sample is a tensor of floats, not a picture")
	case s.Encoded == nil:
		return &s.Image, nil
	}
	return buffer, imaging.Decode(buffer, s.Encoded, channels)
}

// memory is a Dataset whose pictures of one size are held in memory.
type memory struct {
	source   string // the file, for Name
	pixels   []uint8
	height   int
	width    int
	channels int
	labels   []int32
	classes  []string
}

// FromPixels makes a Dataset of 8-bit pictures in memory: len(labels) pictures
// of height x width x channels values each, one after another. source names them
// in messages. The slices are kept, not copied.
func FromPixels(source string, pixels []uint8, height, width, channels int, labels []int32, classes []string) (Dataset, error) {
	if channels != 1 && channels != 3 {
		return nil, fmt.Errorf("%s: pictures with %d channels; there can be 1 (gray) or 3 (RGB)", source, channels)
	}
	if height < 1 || width < 1 || len(labels) == 0 {
		return nil, fmt.Errorf("%s: %d pictures of %dx%d pixels; there must be at least one picture of one pixel",
			source, len(labels), width, height)
	}
	if want := len(labels) * height * width * channels; len(pixels) != want {
		return nil, fmt.Errorf("%s: %d bytes of pixels for %d pictures of %dx%dx%d; expected %d",
			source, len(pixels), len(labels), height, width, channels, want)
	}
	if err := checkLabels(source, labels, classes); err != nil {
		return nil, err
	}
	return &memory{source, pixels, height, width, channels, labels, classes}, nil
}

// checkLabels refuses labels that name no class.
func checkLabels(source string, labels []int32, classes []string) error {
	for i, l := range labels {
		if l < 0 || int(l) >= len(classes) {
			return fmt.Errorf("%s: label %d of sample %d; there are %d classes, so labels go from 0 to %d",
				source, l, i, len(classes), len(classes)-1)
		}
	}
	return nil
}

func (m *memory) Len() int          { return len(m.labels) }
func (m *memory) Classes() []string { return m.classes }
func (m *memory) Label(i int) int   { return int(m.labels[i]) }
func (m *memory) Channels() int     { return m.channels }
func (m *memory) Name(i int) string { return fmt.Sprintf("%s, picture %d", m.source, i) }

func (m *memory) Read(i int, s *Sample) error {
	s.reset()
	n := m.height * m.width * m.channels
	s.Image = imaging.Image{
		Pix:   m.pixels[i*n : (i+1)*n : (i+1)*n],
		Width: m.width, Height: m.height, Channels: m.channels, Stride: m.width * m.channels,
	}
	return nil
}

// subset is a selection of another Dataset's samples.
type subset struct {
	Dataset
	indices []int
}

// Subset is the Dataset of the samples of ds at indices, in that order. The
// classes stay those of ds, and so does the task.
func Subset(ds Dataset, indices []int) Dataset {
	s := subset{ds, indices}
	if t, ok := ds.(Targeted); ok {
		return &targetedSubset{s, t}
	}
	return &s
}

func (s *subset) Len() int                      { return len(s.indices) }
func (s *subset) Label(i int) int               { return s.Dataset.Label(s.indices[i]) }
func (s *subset) Name(i int) string             { return s.Dataset.Name(s.indices[i]) }
func (s *subset) Read(i int, smp *Sample) error { return s.Dataset.Read(s.indices[i], smp) }

// targetedSubset is a selection of the samples of another task.
type targetedSubset struct {
	subset
	whole Targeted
}

func (s *targetedSubset) Task() Task                  { return s.whole.Task() }
func (s *targetedSubset) Target(i int, dst []float32) { s.whole.Target(s.indices[i], dst) }
