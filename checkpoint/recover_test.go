package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A complete leftover that was trained farther takes the checkpoint's place; an
// incomplete or an older one does not.
func TestRecover(t *testing.T) {
	for _, c := range []struct {
		name    string
		standby func(t *testing.T, last string) // what lies beside a checkpoint of update 20
		want    int64
	}{
		{"nothing beside it", func(*testing.T, string) {}, 20},
		{"a newer one that was never renamed", func(t *testing.T, last string) { mustSave(t, last+".tmp-abc", stateAt(t, 30)) }, 30},
		{"a newer one without its end", func(t *testing.T, last string) {
			mustSave(t, last+".tmp-abc", stateAt(t, 30))
			if err := os.Remove(filepath.Join(last+".tmp-abc", "meta.json")); err != nil {
				t.Fatal(err)
			}
		}, 20},
		{"an older one that was never deleted", func(t *testing.T, last string) { mustSave(t, last+".prev-abc", stateAt(t, 10)) }, 20},
		{"only the former one", func(t *testing.T, last string) {
			if err := os.Rename(last, last+".prev-abc"); err != nil {
				t.Fatal(err)
			}
		}, 20},
		{"a damaged one, and the former", func(t *testing.T, last string) {
			mustSave(t, last+".prev-abc", stateAt(t, 10))
			if err := os.Truncate(filepath.Join(last, "weights.safetensors"), 9); err != nil {
				t.Fatal(err)
			}
		}, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := t.TempDir()
			last := filepath.Join(run, FolderName, LastName)
			mustSave(t, last, stateAt(t, 20))
			c.standby(t, last)
			if err := Recover(run); err != nil {
				t.Fatal(err)
			}
			s, err := Load(last)
			if err != nil {
				t.Fatal(err)
			}
			if s.Meta.Update != c.want || !isDir(last) {
				t.Errorf("last stands at update %d, want %d", s.Meta.Update, c.want)
			}
			path, _, err := Newest(run)
			if err != nil || path != last {
				t.Errorf("the newest is %s, %v; want %s", path, err, last)
			}
		})
	}
}

// A run that is killed while it writes its first checkpoint has none, and begins anew.
func TestUnfinishedFirstCheckpointIsNone(t *testing.T) {
	run := t.TempDir()
	left := filepath.Join(run, FolderName, LastName+".tmp-abc")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "weights.safetensors"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, skipped, err := Newest(run)
	if !errors.Is(err, ErrNoCheckpoint) || len(skipped) != 0 {
		t.Errorf("found %v and passed over %v, want no checkpoint and nothing passed over", err, skipped)
	}
	if err := Recover(run); err != nil {
		t.Error(err)
	}
}
