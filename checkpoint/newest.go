package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

// survivors lists the folders that may hold the checkpoint dir: itself, and
// what an interrupted Save left beside it, unless it was interrupted before it wrote
// meta.json: nothing is lost with that.
func survivors(dir string) (paths []string, found bool) {
	if isDir(dir) {
		paths = append(paths, dir)
	}
	left, err := atomicfile.Leftovers(dir)
	if err == nil {
		for _, path := range left {
			if _, err := os.Stat(filepath.Join(path, metaFile)); !errors.Is(err, os.ErrNotExist) {
				paths = append(paths, path)
			}
		}
	}
	return paths, len(paths) > 0
}

// settle finds the folder that now holds the checkpoint dir: dir where it
// exists, else the newest complete one beside it.
func settle(dir string) (string, *Meta, error) {
	if isDir(dir) {
		meta, err := readMeta(dir)
		return dir, meta, err
	}
	paths, _ := survivors(dir)
	if good, _ := farthest(paths); good != nil {
		return good.path, good.meta, nil
	}
	return "", nil, fmt.Errorf("checkpoint %s does not exist", dir)
}

// candidate is a folder that may hold a checkpoint.
type candidate struct {
	path string
	meta *Meta
	err  error // why it holds none
}

// candidates reads the folders' meta.json and puts those without a readable
// one first, then the farthest trained. Among equals the order stays.
func candidates(paths []string) []candidate {
	var cs []candidate
	for _, p := range paths {
		meta, err := readMeta(p)
		cs = append(cs, candidate{p, meta, err})
	}
	sort.SliceStable(cs, func(i, j int) bool {
		a, b := cs[i].meta, cs[j].meta
		return b != nil && (a == nil || a.Update > b.Update)
	})
	return cs
}

// farthest finds the candidate that was trained farthest and whose files all have
// the checksums that were written, nil where there is none, and lists those that
// it passed over.
func farthest(paths []string) (good *candidate, skipped []Skipped) {
	for _, c := range candidates(paths) {
		if c.err == nil {
			if _, c.err = verifyAll(c.path); c.err == nil {
				return &c, skipped
			}
		}
		skipped = append(skipped, Skipped{c.path, c.err})
	}
	return nil, skipped
}

// Skipped is a folder that cannot be resumed from.
type Skipped struct {
	Path string
	// Reason is one sentence, which names the file at fault.
	Reason error
}

// Recover puts in place what a Save that was killed left beside the checkpoints of a
// run folder: where a leftover is complete and trained farther than the checkpoint
// itself, or that is damaged or missing, the leftover becomes it. Call it before a
// run goes on, while nobody writes to the folder.
func Recover(runDir string) error {
	for _, name := range []string{LastName, BestName} {
		dir := filepath.Join(runDir, FolderName, name)
		paths, _ := survivors(dir)
		if slices.Equal(paths, []string{dir}) {
			continue // nothing beside it: no checksum needs to be taken yet
		}
		if good, _ := farthest(paths); good != nil && good.path != dir {
			if err := atomicfile.Adopt(dir, good.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Newest finds the checkpoint of a run folder that was trained farthest and
// whose files all have the checksums that were written. It also lists the
// folders that it passed over on the way. Without a good one the error wraps
// ErrNoCheckpoint and names the reasons.
func Newest(runDir string) (path string, skipped []Skipped, err error) {
	root := filepath.Join(runDir, FolderName)
	if _, err := os.Stat(root); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", nil, fmt.Errorf("run folder %s cannot be read: %w", runDir, cause(err))
	}
	var paths []string
	for _, name := range []string{LastName, BestName} {
		found, _ := survivors(filepath.Join(root, name))
		paths = append(paths, found...)
	}
	good, skipped := farthest(paths)
	if good != nil {
		return good.path, skipped, nil
	}
	if len(skipped) == 0 {
		return "", nil, fmt.Errorf("%w: %s does not exist", ErrNoCheckpoint, filepath.Join(root, LastName))
	}
	var reasons []string
	for _, s := range skipped {
		reasons = append(reasons, s.Reason.Error())
	}
	return "", skipped, fmt.Errorf("%w in %s: %s", ErrNoCheckpoint, root, strings.Join(reasons, "; "))
}
