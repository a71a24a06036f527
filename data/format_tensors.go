package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"github.com/nlpodyssey/safetensors"
)

func init() {
	Register(Format{
		Name: "tensors",
		About: "a .safetensors file with images (N, C, H, W, float32, used as they are) and labels (N, int64), " +
			"or a folder with one such file a split, such as train.safetensors",
		Open: openTensors,
	})
}

// tensors is a Dataset of network inputs.
type tensors struct {
	source                  string
	channels, height, width int
	values                  []float32
	labels                  []int32
	classes                 []string
}

// openTensors reads a file for its one split; a single file serves any split.
func openTensors(root, split string, o Options) (Dataset, error) {
	path, err := splitFile(root, split, ".safetensors")
	if err != nil {
		return nil, err
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseTensors(path, contents, o)
}

func parseTensors(path string, contents []byte, o Options) (Dataset, error) {
	file, err := safetensors.Deserialize(contents)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; the file is cut or no safetensors file", path, err)
	}
	images, ok := file.Tensor("images")
	if s := images.Shape(); !ok || images.DType() != safetensors.F32 || len(s) != 4 || s[0]*s[1]*s[2]*s[3] == 0 {
		return nil, fmt.Errorf("%s: expected a tensor images of float32 with shape (N, C, H, W) and found %s", path, describe(images, ok))
	}
	labels, ok := file.Tensor("labels")
	if s := labels.Shape(); !ok || labels.DType() != safetensors.I64 || len(s) != 1 || s[0] != images.Shape()[0] {
		return nil, fmt.Errorf("%s: expected a tensor labels of int64 with shape (%d) and found %s", path, images.Shape()[0], describe(labels, ok))
	}
	s := images.Shape()
	t := &tensors{source: path, channels: int(s[1]), height: int(s[2]), width: int(s[3])}
	raw := images.Data()
	t.values = make([]float32, len(raw)/4)
	for i := range t.values {
		t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	raw = labels.Data()
	classes := 0
	for ; len(raw) > 0; raw = raw[8:] {
		l := int64(binary.LittleEndian.Uint64(raw))
		if l < 0 || l >= 1<<20 {
			return nil, fmt.Errorf("%s: label %d of sample %d; labels count from 0", path, l, len(t.labels))
		}
		t.labels = append(t.labels, int32(l))
		classes = max(classes, int(l)+1)
	}
	t.classes = namesFor(classes, o)
	return t, nil
}

func describe(t safetensors.TensorView, ok bool) string {
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%v with shape %v", t.DType(), t.Shape())
}

func (t *tensors) Len() int          { return len(t.labels) }
func (t *tensors) Classes() []string { return t.classes }
func (t *tensors) Label(i int) int   { return int(t.labels[i]) }
func (t *tensors) Channels() int     { return t.channels }
func (t *tensors) Name(i int) string { return fmt.Sprintf("%s, sample %d", t.source, i) }

func (t *tensors) Read(i int, s *Sample) error {
	s.reset()
	n := t.channels * t.height * t.width
	s.Tensor = Tensor{t.channels, t.height, t.width, t.values[i*n : (i+1)*n : (i+1)*n], nil}
	return nil
}
