package tfeventstest

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// Event is a record of an event file.
type Event struct {
	Version string // of the file; in its first record only
	Step    int64
	Restart bool // earlier points from Step on are void
	Scalars map[string]float32
}

// Read parses an event file and fails on a wrong length or checksum.
func Read(t testing.TB, path string) []Event {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(b []byte, stored uint32) {
		// TFRecord's unmask, the inverse of what the writer does.
		rotated := stored - 0xa282ead8
		if crc := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)); rotated>>17|rotated<<15 != crc {
			t.Fatalf("checksum %#x does not belong to %q", stored, b)
		}
	}
	var events []Event
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		check(data[:8], binary.LittleEndian.Uint32(data[8:]))
		record := data[12 : 12+n]
		check(record, binary.LittleEndian.Uint32(data[12+n:]))
		data = data[16+n:]
		events = append(events, parse(t, record))
	}
	return events
}

func parse(t testing.TB, record []byte) Event {
	var e Event
	fields(t, record, func(n protowire.Number, varint uint64, b []byte) {
		switch n {
		case 1:
			if at := math.Float64frombits(varint); at < 1e9 {
				t.Errorf("wall time %v is no Unix time", at)
			}
		case 2:
			e.Step = int64(varint)
		case 3:
			e.Version = string(b)
		case 5:
			e.Scalars = map[string]float32{}
			fields(t, b, func(_ protowire.Number, _ uint64, value []byte) {
				var tag string
				fields(t, value, func(n protowire.Number, v uint64, b []byte) {
					if n == 1 {
						tag = string(b)
					} else {
						e.Scalars[tag] = math.Float32frombits(uint32(v))
					}
				})
			})
		case 7:
			fields(t, b, func(n protowire.Number, v uint64, _ []byte) { e.Restart = n == 1 && v == 1 })
		}
	})
	return e
}

func fields(t testing.TB, b []byte, visit func(n protowire.Number, v uint64, b []byte)) {
	t.Helper()
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v uint64
		var inner []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v32 uint32
			v32, n = protowire.ConsumeFixed32(b)
			v = uint64(v32)
		case protowire.BytesType:
			inner, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d has wire type %d", num, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		visit(num, v, inner)
	}
}
