package main_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// wouldDo finds the figure that a refusal gives.
func wouldDo(t *testing.T, o outcome, key string) (mib int) {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(key) + `.*; ([0-9]+) MiB would do`).FindStringSubmatch(o.stderr)
	if o.status != 2 || found == nil {
		t.Fatalf("status %d, %s; want 2 and what would do", o.status, o.stderr)
	}
	mib, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return mib
}

// The weights that a training under a memory limit ends with are those of one
// without.
func TestMemoryLimitTrainsTheSame(t *testing.T) {
	dir := t.TempDir()
	args := func(name string, more ...string) []string {
		return append(quick(1, "--set", "model.name=cifar_resnet20", "--set", "data.size=32", "--set", "train.batch_size=100",
			"--set", "train.grad_accum=2", "--set", "optimizer.lr=0.01", "--output", filepath.Join(dir, name)), more...)
	}
	refused := trainer(t, args("refused", "--set", "train.memory=1MiB")...)
	limit := fmt.Sprintf("train.memory=%dMiB", wouldDo(t, refused, "train.memory: 1 MiB is too little for batches of 100")+12)
	ok(t, args("free")...)
	o := trainer(t, args("tight", "--set", limit)...)
	if o.status != 0 || !regexp.MustCompile(`(?m)^memory .* saved by recomputing [0-9]+ layers, about [0-9.]+ % more time$`).MatchString(o.stderr) {
		t.Fatalf("%s: status %d\n%s", limit, o.status, o.stderr)
	}
	if !bytes.Equal(weights(t, filepath.Join(dir, "free")), weights(t, filepath.Join(dir, "tight"))) {
		t.Errorf("%s changes the weights", limit)
	}
}

// The benchmark keeps the limit that it is given.
func TestBenchKeepsTheLimit(t *testing.T) {
	bench := func(more ...string) []string {
		return append([]string{"bench", "--model", "cifar_resnet20", "--steps", "1", "--threads", "2"}, more...)
	}
	limit := wouldDo(t, trainer(t, bench("--memory", "8MiB")...), "--memory: 8 MiB is too little for batches of 128") + 4
	r := ok(t, bench("--memory", fmt.Sprintf("%dMiB", limit))...)
	if rss := int(r["peak_rss_mb"].(float64)); rss > limit || rss < limit/2 {
		t.Errorf("the process took %d MiB of %d", rss, limit)
	}
	if n := int(r["recomputed"].(float64)); n < 5 {
		t.Errorf("%d steps were recomputed under the least limit", n)
	}
	if o := trainer(t, bench("--memory", "800")...); o.status != 2 || !strings.Contains(o.stderr, "2GiB") {
		t.Errorf("a limit without its unit: status %d, %s", o.status, o.stderr)
	}
}
