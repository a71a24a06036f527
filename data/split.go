package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/internal/rng"
)

// SplitStratified divides the samples of the given labels in two, keeping the
// classes' shares: of each class, the part fraction goes to the second list,
// rounded so that both the class and the total are within one of exact. The
// choice is drawn from seed. Both lists rise.
func SplitStratified(labels []int, fraction float64, seed uint64) (rest, part []int) {
	classes := map[int][]int{}
	for i, l := range labels {
		classes[l] = append(classes[l], i)
	}
	names := make([]int, 0, len(classes))
	for l := range classes {
		names = append(names, l)
	}
	slices.Sort(names)

	// Rounding the running total hands the remainders out evenly.
	seen, taken := 0, 0
	for _, l := range names {
		members := classes[l]
		seen += len(members)
		take := int(math.Round(float64(seen)*fraction)) - taken
		taken += take
		order := rng.New(seed, "split", uint64(l)).Perm(len(members))
		for rank, at := range order {
			if rank < take {
				part = append(part, members[at])
			} else {
				rest = append(rest, members[at])
			}
		}
	}
	slices.Sort(rest)
	slices.Sort(part)
	return rest, part
}

// Draw is n samples of ds with the classes' shares, drawn from seed; all where there are
// no more.
func Draw(ds Dataset, n int, seed uint64) Dataset {
	if n >= ds.Len() {
		return ds
	}
	_, drawn := SplitStratified(labelsOf(ds), float64(n)/float64(ds.Len()), seed)
	return Subset(ds, drawn)
}

func labelsOf(ds Dataset) []int {
	labels := make([]int, ds.Len())
	for i := range labels {
		labels[i] = ds.Label(i)
	}
	return labels
}

// noSplit says that a source has other splits than the one that is wanted, and what
// can be done.
func noSplit(source, split string, have []string) error {
	slices.Sort(have)
	text := fmt.Sprintf("%s has no split %q; it has %s", source, split, strings.Join(have, ", "))
	if split == "val" {
		text += "; evaluate on one of these (data.val_split), or on a part of train that is set aside (data.holdout, with data.val_split: holdout)"
	}
	return errors.New(text)
}

// splitOf cuts the train or the val part out of a source that has no split of
// its own. All of it is the split "all".
func splitOf(ds Dataset, source, split string, fraction float64, seed uint64) (Dataset, error) {
	if split == "all" {
		return ds, nil
	}
	if split != "train" && split != "val" {
		return nil, fmt.Errorf("%s has no split %q; it can be divided into train and val, or read as a whole with all", source, split)
	}
	if !(fraction > 0 && fraction < 1) {
		return nil, fmt.Errorf("%s: a part of %v for val; it must be above 0 and below 1", source, fraction)
	}
	train, val := SplitStratified(labelsOf(ds), fraction, seed)
	chosen := train
	if split == "val" {
		chosen = val
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s: a part of %v of %d samples for val leaves none for %s; add samples or change the part",
			source, fraction, ds.Len(), split)
	}
	return Subset(ds, chosen), nil
}
