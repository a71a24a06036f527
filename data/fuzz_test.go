package data_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/data"
)

// readAll opens a split and reads every sample: damaged files may be refused,
// but neither panic nor lead beyond their end.
func readAll(t *testing.T, format, root, split string) {
	ds, err := data.Open(format, root, split, data.Options{})
	if err != nil {
		return
	}
	var s data.Sample
	for i := range ds.Len() {
		if err := ds.Read(i, &s); err != nil {
			t.Errorf("sample %d of data that was not refused: %v", i, err)
		}
		if ds.Label(i) >= len(ds.Classes()) {
			t.Errorf("sample %d has label %d of %d classes", i, ds.Label(i), len(ds.Classes()))
		}
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idx(up(0, 12), 2, 2, 3), idx([]byte{3, 9}, 2))
	f.Add(zipped(f, idx(up(0, 12), 2, 2, 3)), idx([]byte{3, 9}, 2))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		root := t.TempDir()
		write(t, images, root, "train-images-idx3-ubyte")
		write(t, labels, root, "train-labels-idx1-ubyte")
		readAll(t, "idx", root, "train")
	})
}

func FuzzNPZ(f *testing.F) {
	f.Add(npy("|u1", "2, 1, 1", up(0, 2)), npy("<i8", "2,", make([]byte, 16)))
	f.Add(npy("|u1", "2, 2, 2, 3", up(0, 24)), npy("|u1", "2, 1", make([]byte, 2)))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		path := write(t, npz(t, "train_images", images, "train_labels", labels), t.TempDir(), "x.npz")
		readAll(t, "npz", path, "train")
	})
}

func FuzzTensors(f *testing.F) {
	f.Add(tensorFile(f, []uint64{2, 1, 1, 2}, []float32{0, 1, 2, 3}, []int64{1, 0}))
	f.Fuzz(func(t *testing.T, contents []byte) {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, contents, 0o644); err != nil {
			t.Fatal(err)
		}
		readAll(t, "tensors", path, "train")
	})
}
