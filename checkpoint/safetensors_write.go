package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

// WriteSafetensors writes tensors and metadata, which may be nil, to a file
// that appears whole or not at all. The same input gives the same bytes.
func WriteSafetensors(path string, tensors *Tensors, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		return EncodeSafetensors(w, tensors, metadata)
	})
}

// EncodeSafetensors writes a safetensors file to w. The header lists the
// tensors in their order; the data puts wider element types first, so that
// every tensor is aligned to its element and loads without a copy elsewhere.
func EncodeSafetensors(w io.Writer, tensors *Tensors, metadata map[string]string) error {
	layout := slices.Collect(tensors.All())
	slices.SortStableFunc(layout, func(a, b Tensor) int { return b.DType.Size() - a.DType.Size() })
	begin := make(map[string]int64, len(layout))
	at := int64(0)
	for _, t := range layout {
		begin[t.Name] = at
		at += t.size()
	}
	header, err := encodeHeader(tensors, begin, metadata)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range layout {
		data, err := tensors.content(t)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func encodeHeader(tensors *Tensors, begin map[string]int64, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		fmt.Fprintf(&b, "%q:{", metadataKey)
		for i, k := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := quote(&b, k); err != nil {
				return nil, fmt.Errorf("metadata: %w", err)
			}
			b.WriteByte(':')
			if err := quote(&b, metadata[k]); err != nil {
				return nil, fmt.Errorf("metadata %s: %w", k, err)
			}
		}
		b.WriteByte('}')
	}
	for t := range tensors.All() {
		if t.Name == metadataKey {
			return nil, fmt.Errorf("no tensor may be called %s: the format keeps that name", metadataKey)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if err := quote(&b, t.Name); err != nil {
			return nil, fmt.Errorf("tensor name: %w", err)
		}
		shape, err := json.Marshal(append([]int{}, t.Shape...)) // [] where Shape is nil
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`,
			t.DType.String(), shape, begin[t.Name], begin[t.Name]+t.size())
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ') // the data that follows begins aligned
	}
	if b.Len() > maxSafetensorsHeader {
		return nil, fmt.Errorf("the header would take %d bytes; the format allows %d", b.Len(), maxSafetensorsHeader)
	}
	return b.Bytes(), nil
}

// quote appends s as a JSON string.
func quote(b *bytes.Buffer, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not valid UTF-8", s)
	}
	q, err := json.Marshal(s)
	b.Write(q)
	return err
}
