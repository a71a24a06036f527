package data

import (
	"archive/tar"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/seed52467199/trainer/data/imaging"
)

func init() {
	Register(Format{
		Name: "tar",
		About: "WebDataset shards, a folder of .tar files or a pattern such as {train-{0000..0012},val-{00..03}}.tar; each sample is a picture " +
			"and a label in .cls (a number), .json (fields) or .txt under the same name",
		Open: openTar,
	})
}

// A shard is a tar file in which the members of a sample have a name in common, up
// to the first dot of its last part, and say by what follows what they are
// (https://github.com/webdataset/webdataset). Its headers are read once; pictures
// are then read where they lie.
type shard struct {
	path    string
	file    *os.File
	members []member // the samples, by the first place of a member
}

// member is one sample in a shard.
type member struct {
	key     string
	picture string // the picture's ending; empty where none has been found
	offset  int64  // of the picture's contents
	size    int64
	labels  map[string]string // by ending: cls, json, txt
}

// shards is a Dataset of pictures in tar files. Reading goes to places in open
// files, which many goroutines may do at once.
type shards struct {
	shards   []*shard
	samples  []place
	labels   []int32
	classes  []string
	channels int
}

// place is where a sample is.
type place struct{ shard, member int32 }

// openTar finds the shards of a split by their folder or by their names, and
// otherwise divides the samples.
func openTar(root, split string, o Options) (Dataset, error) {
	paths, below, err := shardPaths(root)
	if err != nil {
		return nil, err
	}
	bySplit, err := sortShards(paths, below)
	if err != nil {
		return nil, err
	}
	chosen := paths
	if len(bySplit) > 0 {
		if chosen = bySplit[split]; split == "all" {
			chosen = paths
		}
		if len(chosen) == 0 {
			return nil, noSplit(root, split, slices.Collect(maps.Keys(bySplit)))
		}
	}
	s := &shards{}
	if s.shards, err = readShards(chosen); err != nil {
		return nil, err
	}
	ds, err := s.label(root, o)
	if err != nil || len(bySplit) > 0 {
		return ds, err
	}
	return divided(ds, root, split, o)
}

// shardPaths lists the tar files that root stands for, and the folder that they are
// all in or below.
func shardPaths(root string) (paths []string, below string, err error) {
	if info, err := os.Stat(root); err == nil && info.IsDir() {
		paths, err := shardsIn(root)
		return paths, root, err
	} else if err == nil {
		return []string{root}, filepath.Dir(root), nil
	}
	names, err := expand(root)
	if err != nil {
		return nil, "", err
	}
	for _, name := range names {
		found := []string{name}
		if strings.Contains(filepath.Base(name), "*") {
			if found, err = glob(filepath.Dir(name), filepath.Base(name)); err != nil {
				return nil, "", err
			}
			if len(found) == 0 {
				return nil, "", fmt.Errorf("there is no %s", name)
			}
		}
		paths = append(paths, found...)
	}
	fixed, _, _ := strings.Cut(root, "{")
	return paths, filepath.Dir(fixed + "x"), nil
}

// shardsIn lists the tar files in a folder and in those of its splits.
func shardsIn(root string) ([]string, error) {
	folders := []string{root}
	for _, names := range splitNames {
		for _, name := range names {
			folders = append(folders, filepath.Join(root, name))
		}
	}
	slices.Sort(folders)
	var paths []string
	for _, folder := range folders {
		found, err := glob(folder, "*.tar")
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	if len(paths) > 0 {
		return paths, nil
	}
	for _, pattern := range []string{"*.tar.gz", "*.tgz"} {
		if zipped, err := glob(root, pattern); err == nil && len(zipped) > 0 {
			return nil, compressed(zipped[0])
		}
	}
	return nil, fmt.Errorf("the folder %s has no .tar files, nor has a folder train or val in it", root)
}

// sortShards finds the shards of each split by a word of their names or of their
// folder's below the given one: train-0001.tar, train/0001.tar. The map is empty
// where no name says.
func sortShards(paths []string, below string) (map[string][]string, error) {
	bySplit, without := map[string][]string{}, ""
	for _, p := range paths {
		split := splitIn(filepath.Base(p))
		if dir := filepath.Dir(p); split == "" && dir != below {
			split = splitIn(filepath.Base(dir))
		}
		if split == "" {
			without = p
			continue
		}
		bySplit[split] = append(bySplit[split], p)
	}
	if without != "" && len(bySplit) > 0 {
		return nil, fmt.Errorf("the name of the shard %s tells no split, and those of others do; name shards such as train-0000.tar, or give a pattern", without)
	}
	return bySplit, nil
}

var nameWords = regexp.MustCompile(`[A-Za-z]+`)

// splitIn is the split of which a name has the word, or "".
func splitIn(name string) string {
	for _, word := range nameWords.FindAllString(strings.ToLower(name), -1) {
		for split, names := range splitNames {
			if slices.Contains(names, word) {
				return split
			}
		}
	}
	return ""
}

// readShards reads the headers of all shards, several at a time.
func readShards(paths []string) ([]*shard, error) {
	list, errs := make([]*shard, len(paths)), make([]error, len(paths))
	var running sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, p := range paths {
		slots <- struct{}{}
		running.Go(func() {
			list[i], errs[i] = readShard(p)
			<-slots
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// compressed refuses a shard in which there are no places to read from.
func compressed(path string) error {
	return fmt.Errorf("the shard %s is compressed, and its samples are read in any order; unpack it to a plain .tar", path)
}

// maxLabel is the size in bytes of a label's file at most.
const maxLabel = 1 << 20

// readShard reads the headers of a shard, and the contents of its labels.
func readShard(path string) (_ *shard, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, missing("shard "+path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err == nil && string(magic[:]) == "\x1f\x8b" {
		return nil, compressed(path)
	}
	s := &shard{path: path, file: f}
	if err := s.index(info.Size()); err != nil {
		return nil, err
	}
	return s, nil
}

// index reads the headers; contents are passed over.
func (s *shard) index(size int64) error {
	byKey := map[string]int{}
	r := tar.NewReader(s.file)
	next := int64(0) // where a header should be
	for {
		h, err := r.Next()
		if err == io.EOF {
			return s.ended(size)
		}
		if err != nil {
			return fmt.Errorf("the shard %s is cut or damaged at byte %d of %d: %w", s.path, next, size, err)
		}
		at, err := s.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		next = at + (h.Size+block-1)/block*block
		if h.Typeflag != tar.TypeReg {
			continue
		}
		for record := range h.PAXRecords {
			if strings.HasPrefix(record, "GNU.sparse.") {
				return fmt.Errorf("the shard %s: %s at byte %d is stored with holes (sparse); pack the shard without", s.path, h.Name, at)
			}
		}
		if h.Size > size-at {
			return fmt.Errorf("the shard %s is cut: %s has %d bytes from byte %d on, and the file ends at %d", s.path, h.Name, h.Size, at, size)
		}
		key, ending, ok := splitKey(h.Name)
		if !ok {
			continue
		}
		i, known := byKey[key]
		if !known {
			i = len(s.members)
			byKey[key] = i
			s.members = append(s.members, member{key: key})
		}
		m := &s.members[i]
		switch {
		case slices.Contains(imaging.Extensions, "."+ending):
			if m.picture != "" {
				return fmt.Errorf("the shard %s has two pictures %s.%s and %s.%s (at byte %d) in one sample", s.path, key, m.picture, key, ending, at)
			}
			m.picture, m.offset, m.size = ending, at, h.Size
		case ending == "cls" || ending == "json" || ending == "txt":
			if h.Size > maxLabel {
				return fmt.Errorf("the shard %s: %s has %d bytes, too many for a label", s.path, h.Name, h.Size)
			}
			text := make([]byte, h.Size)
			if _, err := s.file.ReadAt(text, at); err != nil {
				return fmt.Errorf("the shard %s, reading %s at byte %d: %w", s.path, h.Name, at, err)
			}
			if m.labels == nil {
				m.labels = map[string]string{}
			}
			m.labels[ending] = string(text)
		}
	}
}

// block is the unit of a tar file. Two of zeros end it.
const block = 512

// ended checks that the file ends with the mark of its end: where it was cut between
// two members nothing else tells.
func (s *shard) ended(size int64) error {
	if len(s.members) == 0 {
		return fmt.Errorf("the shard %s has no samples; expected pictures with labels, such as a.jpg and a.cls", s.path)
	}
	var last [block]byte
	if _, err := s.file.ReadAt(last[:], size-block); err != nil || last != [block]byte{} {
		return fmt.Errorf("the shard %s ends at byte %d without the mark of a tar file's end; it is cut", s.path, size)
	}
	return nil
}

// splitKey cuts a member's name at the first dot of its last part. It answers false
// for names that belong to no sample.
func splitKey(name string) (key, ending string, ok bool) {
	dir, base := path.Split(path.Clean(name))
	key, ending, ok = strings.Cut(base, ".")
	if !ok || key == "" || strings.HasPrefix(key, "__") {
		return "", "", false
	}
	return dir + key, strings.ToLower(ending), true
}

// label reads what is to be learned of each sample.
func (s *shards) label(root string, o Options) (Dataset, error) {
	for i, sh := range s.shards {
		for k, m := range sh.members {
			if m.picture != "" {
				s.samples = append(s.samples, place{int32(i), int32(k)})
			} else if m.labels != nil { // else it is of no kind that is known here
				return nil, fmt.Errorf("the shard %s: sample %s has a label and no picture; expected one ending in %s",
					sh.path, m.key, strings.Join(imaging.Extensions, ", "))
			}
		}
	}
	if len(s.samples) == 0 {
		return nil, fmt.Errorf("%s has no samples with pictures", root)
	}
	// Fields of .json are like columns of a table. Other labels are its only one.
	t := &table{path: root, header: o.TargetColumns, name: s.Name}
	c := choice{image: -1, split: -1}
	for i := range s.samples {
		sh, m := s.at(i)
		row, err := m.row(o.TargetColumns)
		if err != nil {
			return nil, fmt.Errorf("the shard %s: sample %s %w", sh.path, m.key, err)
		}
		m.labels = nil // they have been read
		t.rows = append(t.rows, row)
	}
	for i := range t.rows[0] {
		c.targets = append(c.targets, i)
	}
	var err error
	if len(o.TargetColumns) > 0 {
		if c.task, err = t.taskOf(c, o); err != nil {
			return nil, err
		}
	}
	var targets []float32
	if s.labels, s.classes, targets, err = t.learn(c, true, o); err != nil {
		return nil, err
	}
	s.channels = detectChannels(s.labels, func(i int) ([]byte, error) {
		var smp Sample
		err := s.Read(i, &smp)
		return smp.Encoded, err
	})
	if c.task != Classify {
		return &marked{s, c.task, targets, len(s.classes)}, nil
	}
	return keep(s, s.labels), nil
}

// row is what is to be learned of a sample, as it is written: fields of its .json, or
// without any its one label.
func (m *member) row(fields []string) ([]string, error) {
	if len(fields) > 0 {
		text, ok := m.labels["json"]
		if !ok {
			return nil, fmt.Errorf("has no .json with the field %s (data.target_columns)", fields[0])
		}
		return jsonFields(text, fields, true)
	}
	word, err := m.word()
	return []string{word}, err
}

// word is the label of a sample as it is written.
func (m *member) word() (string, error) {
	if text, ok := m.labels["cls"]; ok {
		text = strings.TrimSpace(text)
		if _, ok := wholeNumber(text); !ok {
			return "", fmt.Errorf("has %.40q in .cls; expected the class's number, from 0", text)
		}
		return text, nil
	}
	if text, ok := m.labels["json"]; ok {
		var first error
		for _, field := range []string{"label", "class", "cls"} {
			found, err := jsonFields(text, []string{field}, false)
			if err == nil {
				return found[0], nil
			}
			first = cmp.Or(first, err)
		}
		return "", first
	}
	if text, ok := m.labels["txt"]; ok {
		if text = strings.TrimSpace(text); text == "" {
			return "", errors.New("has nothing in .txt; expected the class's name")
		}
		return text, nil
	}
	return "", errors.New("has no label; expected a member ending in .cls, .json or .txt")
}

// jsonFields takes numbers, texts and, where there may be lists, lists of these from an
// object's fields. Each of a list ends with a separator.
func jsonFields(text string, fields []string, lists bool) ([]string, error) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return nil, fmt.Errorf("has a .json that is no object: %w", err)
	}
	row := make([]string, len(fields))
	for i, field := range fields {
		list, several := object[field].([]any)
		if several = several && lists; !several {
			list = []any{object[field]}
		}
		for _, v := range list {
			one, ok := v.(string)
			switch n := v.(type) {
			case json.Number:
				one, ok = n.String(), true
			case bool:
				one, ok = fmt.Sprint(n), true
			}
			if !ok || one == "" {
				return nil, fmt.Errorf("has a .json without a field %s that is a number or a text; data.target_columns names another; it has %s",
					field, sample(slices.Sorted(maps.Keys(object))))
			}
			if row[i] += one; several {
				row[i] += separators[:1]
			}
		}
		if several && len(list) == 0 {
			row[i] = separators[:1]
		}
	}
	return row, nil
}

func (s *shards) at(i int) (*shard, *member) {
	p := s.samples[i]
	return s.shards[p.shard], &s.shards[p.shard].members[p.member]
}

func (s *shards) Len() int          { return len(s.samples) }
func (s *shards) Classes() []string { return s.classes }
func (s *shards) Label(i int) int   { return int(s.labels[i]) }
func (s *shards) Channels() int     { return s.channels }

func (s *shards) Name(i int) string {
	sh, m := s.at(i)
	return fmt.Sprintf("%s, %s.%s", sh.path, m.key, m.picture)
}

func (s *shards) Read(i int, smp *Sample) error {
	smp.reset()
	sh, m := s.at(i)
	if cap(smp.file) < int(m.size) {
		smp.file = make([]byte, m.size)
	}
	smp.file = smp.file[:m.size]
	if _, err := sh.file.ReadAt(smp.file, m.offset); err != nil {
		return fmt.Errorf("reading %s at byte %d: %w", s.Name(i), m.offset, err)
	}
	smp.Encoded = smp.file
	return nil
}
