package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// FormatVersion is the version of checkpoint folders that this code writes;
// it reads this one and every older one.
const FormatVersion = 1

// Meta is meta.json: everything about a checkpoint that is not a tensor.
type Meta struct {
	// FormatVersion and Files are filled in by Save.
	FormatVersion int `json:"format_version"`
	// TrainerVersion is the version of the program that wrote the checkpoint.
	TrainerVersion string `json:"trainer_version"`
	// SavedAt is when it was written; Save fills it in where it is zero.
	SavedAt time.Time `json:"saved_at"`

	Model ModelMeta `json:"model"`
	// Task is what the outputs mean: classify, multi_label or regress; empty in older
	// checkpoints, which classify.
	Task string `json:"task,omitempty"`
	// ClassNames are in the order of the logits; for regress they name the values.
	ClassNames    []string      `json:"class_names,omitempty"`
	Preprocessing Preprocessing `json:"preprocessing"`
	// Pretraining is the method by which the weights were pre-trained without labels:
	// there is no classifier among them. Empty for weights that classify.
	Pretraining string `json:"pretraining,omitempty"`

	// Epoch is the number of complete epochs.
	Epoch int `json:"epoch"`
	// Update is the number of optimizer updates since the beginning.
	Update int64 `json:"update"`
	// BatchInEpoch is the number of batches of the epoch under way that were
	// consumed.
	BatchInEpoch int `json:"batch_in_epoch"`
	// EpochLoss is the mean training loss of the epoch under way.
	EpochLoss MeanLoss `json:"epoch_loss"`
	// Metrics are those of this state, by name.
	Metrics map[string]float64 `json:"metrics,omitempty"`
	// Best is the best value so far of the metric that chooses; nil before the
	// first evaluation.
	Best *BestMetric `json:"best,omitempty"`

	Random Random `json:"random"`
	// Schedule is the state of the learning-rate schedule as its own package
	// writes it.
	Schedule json.RawMessage `json:"schedule,omitempty"`
	// Patience is what a run that may end early has seen of its evaluations, as
	// package schedule writes it.
	Patience json.RawMessage `json:"patience,omitempty"`
	// Config is the whole effective configuration as YAML text.
	Config string `json:"config"`
	// WallSeconds is the time spent in training, over all resumed parts.
	WallSeconds float64 `json:"wall_seconds"`

	// Files has the size and checksum of each file beside meta.json.
	Files map[string]FileSum `json:"files"`
}

// ModelMeta names a model of the registry.
type ModelMeta struct {
	Name string `json:"name"`
	// Args are the constructor's arguments; numbers come back as float64.
	Args map[string]any `json:"args,omitempty"`
}

// Preprocessing is what happens to an image before the network sees it.
type Preprocessing struct {
	// Size is height and width in pixels.
	Size [2]int `json:"size"`
	// Channels is 3 for colour, 1 for gray.
	Channels int `json:"channels"`
	// Mean and Std are per channel, on the scale 0 to 1.
	Mean []float64 `json:"mean"`
	Std  []float64 `json:"std"`
	// CropPct is the part of the resized image's side that the central crop keeps.
	CropPct       float64 `json:"crop_pct"`
	Interpolation string  `json:"interpolation"`
	// Features names the channels where the input is no picture but a table's row.
	Features []string `json:"features,omitempty"`
}

// MeanLoss is a mean that is still being taken.
type MeanLoss struct {
	// Sum is over images.
	Sum    float64 `json:"sum"`
	Images int     `json:"images"`
}

// Mean is the loss so far; not a number where there are no images.
func (m MeanLoss) Mean() float64 { return m.Sum / float64(m.Images) }

// BestMetric is the best value of the metric that chooses checkpoints.
type BestMetric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Epoch int     `json:"epoch"`
}

// Random is what the streams of random numbers need to go on.
type Random struct {
	Seed uint64 `json:"seed"`
	// Streams are positions by purpose, for streams that are not keyed by
	// epoch and index.
	Streams map[string]uint64 `json:"streams,omitempty"`
}

// FileSum is the size and the CRC-32C (Castagnoli) of a file.
type FileSum struct {
	Size   int64  `json:"size"`
	CRC32C string `json:"crc32c"` // eight hexadecimal digits
}

// encode writes the JSON, or tells which number JSON cannot hold.
func (m *Meta) encode() ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(m.Metrics)) {
		if !finite(m.Metrics[name]) {
			return nil, fmt.Errorf("metric %s is %v, which is not kept in a checkpoint", name, m.Metrics[name])
		}
	}
	if m.Best != nil && !finite(m.Best.Value) {
		return nil, fmt.Errorf("best metric %s is %v, which is not kept in a checkpoint", m.Best.Name, m.Best.Value)
	}
	b, err := json.MarshalIndent(m, "", "  ")
	return append(b, '\n'), err
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// readMeta reads dir/meta.json.
func readMeta(dir string) (*Meta, error) {
	path := filepath.Join(dir, metaFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, cause(err))
	}
	m, err := parseMeta(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func parseMeta(b []byte) (*Meta, error) {
	// The version comes first: a newer format may have changed anything else.
	var version struct {
		FormatVersion *int `json:"format_version"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return nil, metaError(err)
	}
	switch v := version.FormatVersion; {
	case v == nil:
		return nil, errors.New("it has no format_version, so it does not describe a checkpoint")
	case *v > FormatVersion:
		return nil, fmt.Errorf("the checkpoint has format version %d and this trainer reads versions up to %d: use a newer trainer", *v, FormatVersion)
	case *v < 1:
		return nil, fmt.Errorf("format version %d does not exist", *v)
	}
	m := new(Meta)
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(m); err != nil {
		return nil, metaError(err)
	}
	return m, nil
}

func metaError(err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("it is truncated or no JSON, at byte %d", syntax.Offset)
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is a JSON %s where %v was expected", wrong.Field, wrong.Value, wrong.Type)
	}
	return err
}
