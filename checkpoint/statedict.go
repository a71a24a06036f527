package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/checkpoint/internal/pickle"
)

// wrapperKeys are the names under which training scripts keep a state dict,
// averagedKeys those of the exponential moving average of the weights.
var (
	wrapperKeys  = []string{"state_dict", "model", "module", "model_state_dict"}
	averagedKeys = []string{"state_dict_ema", "model_ema"}
)

// maxWrapping bounds how many dicts are looked into.
const maxWrapping = 16

// findStateDict finds the dict of tensors in a PyTorch file, and says under
// which keys it lies.
func findStateDict(root any, o Options) (*pickle.Dict, string, error) {
	dict, ok := root.(*pickle.Dict)
	if !ok {
		return nil, "", fmt.Errorf("it holds a %s where a state dict was expected", pickle.TypeName(root))
	}
	if o.Key != "" {
		v, ok := dict.Get(o.Key)
		inner, isDict := v.(*pickle.Dict)
		if !ok || !isDict || countTensors(inner) == 0 {
			return nil, "", fmt.Errorf("there is no state dict under %s; %s", o.Key, contentOf(dict))
		}
		return inner, o.Key, nil
	}
	order := slices.Concat(wrapperKeys, averagedKeys)
	if o.EMA {
		order = slices.Concat(averagedKeys, wrapperKeys)
	}
	s := stateDictSearch{order, make(map[*pickle.Dict]bool)}
	if found, at := s.run(dict); found != nil {
		return found, at, nil
	}
	return nil, "", fmt.Errorf("there is no state dict in it; %s", contentOf(dict))
}

// stateDictSearch looks for a state dict under keys in order of preference.
type stateDictSearch struct {
	order []string
	seen  map[*pickle.Dict]bool // a dict may hold itself
}

// run prefers a dict under one of the keys, where it holds tensors, to the
// tensors of the dict itself.
func (s stateDictSearch) run(dict *pickle.Dict) (*pickle.Dict, string) {
	s.seen[dict] = true
	if len(s.seen) < maxWrapping {
		for _, key := range s.order {
			v, _ := dict.Get(key)
			inner, ok := v.(*pickle.Dict)
			if !ok || s.seen[inner] {
				continue
			}
			if found, at := s.run(inner); found != nil {
				return found, strings.TrimSuffix(key+"."+at, ".")
			}
		}
	}
	if countTensors(dict) == 0 {
		return nil, ""
	}
	return dict, ""
}

func countTensors(d *pickle.Dict) int {
	n := 0
	for _, it := range d.Items {
		if _, ok := it.Value.(*tensorRef); ok {
			n++
		}
	}
	return n
}

// contentOf lists what a dict holds, for a person who looks for its weights.
func contentOf(d *pickle.Dict) string {
	const most = 12
	var parts []string
	for i, it := range d.Items {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(d.Items)-most))
			break
		}
		kind := pickle.TypeName(it.Value)
		if inner, ok := it.Value.(*pickle.Dict); ok {
			if n := countTensors(inner); n > 0 {
				kind = fmt.Sprintf("dict of %d tensors", n)
			}
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", pythonText(it.Key), kind))
	}
	if len(parts) == 0 {
		return "it is empty"
	}
	return "it holds " + strings.Join(parts, ", ")
}
