package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// maxIndex bounds the size of an index of shards.
const maxIndex = 64 << 20

// isIndex judges by the first byte that is not white space.
func isIndex(r io.ReaderAt, size int64) bool {
	head := make([]byte, min(size, 64))
	if readFull(r, head, 0) != nil || looksLikeSafetensors(head, size) {
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{"))
}

// shardIndex is a file such as model.safetensors.index.json: it names, for
// each tensor, the file beside it that holds the tensor.
type shardIndex struct {
	shards []string          // in order of first mention
	place  map[string]string // shard of each tensor
}

func parseIndex(text []byte) (*shardIndex, error) {
	x := &shardIndex{place: make(map[string]string)}
	known, found := make(map[string]bool), false
	dec := json.NewDecoder(bytes.NewReader(text))
	err := eachKey(dec, func(key string) error {
		if key != "weight_map" {
			_, err := decodeValue[json.RawMessage](dec)
			return err
		}
		found = true
		return eachKey(dec, func(tensor string) error {
			shard, err := decodeValue[string](dec)
			if err != nil {
				return fmt.Errorf("weight_map, tensor %s: %w", tensor, err)
			}
			// An index comes from elsewhere: it must not reach out of its folder.
			if !filepath.IsLocal(shard) || strings.ContainsAny(shard, `/\`) {
				return fmt.Errorf("weight_map, tensor %s: %q is not the name of a file in the same folder", tensor, shard)
			}
			x.place[tensor] = shard
			if !known[shard] {
				known[shard] = true
				x.shards = append(x.shards, shard)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("index of shards: %w", err)
	}
	if !found {
		return nil, errors.New("the file is JSON without weight_map, so no index of shards")
	}
	return x, nil
}

// openShards reads every shard that the index at path names.
func openShards(path string, r io.ReaderAt, size int64, o Options) (*File, error) {
	if size > maxIndex {
		return nil, fmt.Errorf("the index of shards has %d bytes; at most %d are allowed", size, maxIndex)
	}
	text := make([]byte, size)
	if err := readFull(r, text, 0); err != nil {
		return nil, err
	}
	index, err := parseIndex(text)
	if err != nil {
		return nil, err
	}
	f := &File{Format: FormatShards, Tensors: new(Tensors)}
	for _, shard := range index.shards {
		part, err := openShard(filepath.Join(filepath.Dir(path), shard), o)
		if err != nil {
			return nil, err
		}
		f.Metadata = part.Metadata
		for t := range part.Tensors.All() {
			if index.place[t.Name] != shard {
				continue // another shard's, or left out on purpose
			}
			if err := f.Tensors.Add(t); err != nil {
				return nil, err
			}
		}
	}
	for tensor, shard := range index.place {
		if _, ok := f.Tensors.Get(tensor); !ok {
			return nil, fmt.Errorf("the index places tensor %s in %s, which does not hold it", tensor, shard)
		}
	}
	return f, nil
}

func openShard(path string, o Options) (*File, error) {
	r, size, err := openForReading(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := decode(r, size, o)
	if err != nil {
		return nil, fmt.Errorf("shard %s: %w", filepath.Base(path), err)
	}
	return f, nil
}
