package tfevents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of tensorflow.Event, Summary, Summary.Value and SessionLog.
const (
	eventWallTime    protowire.Number = 1
	eventStep        protowire.Number = 2
	eventFileVersion protowire.Number = 3
	eventSummary     protowire.Number = 5
	eventSessionLog  protowire.Number = 7
	summaryValue     protowire.Number = 1
	valueTag         protowire.Number = 1
	valueSimple      protowire.Number = 2
	sessionStatus    protowire.Number = 1

	sessionStart = 1 // SessionLog.START
	version      = "brain.Event:2"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Scalar is one point of the curve named Tag. TensorBoard groups tags by
// what stands before the first slash.
type Scalar struct {
	Tag   string
	Value float64 // stored as float32
}

// Writer appends records to an event file. Every record reaches the file in
// one write; a reader never waits for more than the last one.
type Writer struct {
	file   *os.File
	event  []byte // reused
	record []byte // reused
}

// Create starts a new event file in dir, which must exist. It never opens a
// file that is already there: a resumed run has one file per process.
func Create(dir string) (*Writer, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	for n := 0; ; n++ {
		// TensorBoard reads the files of a folder in the order of their names.
		name := fmt.Sprintf("events.out.tfevents.%010d.%s.%03d", now.Unix(), host, n)
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("create TensorBoard event file: %w", err)
		}
		w := &Writer{file: file}
		w.begin(now, 0)
		w.event = protowire.AppendTag(w.event, eventFileVersion, protowire.BytesType)
		w.event = protowire.AppendString(w.event, version)
		return w, w.flush()
	}
}

// Name is the path of the file.
func (w *Writer) Name() string { return w.file.Name() }

// Restart says that a run goes on with the given step: TensorBoard forgets
// the points at and after it that an earlier file of the folder holds.
func (w *Writer) Restart(step int) error {
	w.begin(time.Now(), step)
	log := protowire.AppendTag(nil, sessionStatus, protowire.VarintType)
	log = protowire.AppendVarint(log, sessionStart)
	w.event = protowire.AppendTag(w.event, eventSessionLog, protowire.BytesType)
	w.event = protowire.AppendBytes(w.event, log)
	return w.flush()
}

// Add writes points of several curves at one step. It allocates nothing.
func (w *Writer) Add(step int, scalars ...Scalar) error {
	w.begin(time.Now(), step)
	size := 0
	for _, s := range scalars {
		size += protowire.SizeTag(summaryValue) + protowire.SizeBytes(valueSize(s))
	}
	w.event = protowire.AppendTag(w.event, eventSummary, protowire.BytesType)
	w.event = protowire.AppendVarint(w.event, uint64(size))
	for _, s := range scalars {
		w.event = protowire.AppendTag(w.event, summaryValue, protowire.BytesType)
		w.event = protowire.AppendVarint(w.event, uint64(valueSize(s)))
		w.event = protowire.AppendTag(w.event, valueTag, protowire.BytesType)
		w.event = protowire.AppendString(w.event, s.Tag)
		w.event = protowire.AppendTag(w.event, valueSimple, protowire.Fixed32Type)
		w.event = protowire.AppendFixed32(w.event, math.Float32bits(float32(s.Value)))
	}
	return w.flush()
}

// valueSize is the number of bytes of one Summary.Value.
func valueSize(s Scalar) int {
	return protowire.SizeTag(valueTag) + protowire.SizeBytes(len(s.Tag)) +
		protowire.SizeTag(valueSimple) + protowire.SizeFixed32()
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// begin starts an event with the fields that every one has.
func (w *Writer) begin(at time.Time, step int) {
	w.event = protowire.AppendTag(w.event[:0], eventWallTime, protowire.Fixed64Type)
	w.event = protowire.AppendFixed64(w.event, math.Float64bits(float64(at.UnixNano())/1e9))
	if step != 0 {
		w.event = protowire.AppendTag(w.event, eventStep, protowire.VarintType)
		w.event = protowire.AppendVarint(w.event, uint64(step))
	}
}

// flush frames the event and appends it to the file.
func (w *Writer) flush() error {
	r := binary.LittleEndian.AppendUint64(w.record[:0], uint64(len(w.event)))
	r = binary.LittleEndian.AppendUint32(r, mask(r))
	r = append(r, w.event...)
	r = binary.LittleEndian.AppendUint32(r, mask(w.event))
	w.record = r
	if _, err := w.file.Write(r); err != nil {
		return fmt.Errorf("append to TensorBoard event file: %w", err)
	}
	return nil
}

// mask is TFRecord's checksum: CRC-32C, rotated and shifted so that a
// checksum of data that holds checksums stays sound.
func mask(b []byte) uint32 {
	crc := crc32.Checksum(b, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
