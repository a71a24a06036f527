package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Spec is a tensor that a model wants.
type Spec struct {
	Name string
	// Shape is the shape in file layout; convolutions are (out, in, h, w).
	Shape []int
	// Optional tensors may be missing, as counters of batches are in old files.
	Optional bool
}

// MatchOptions says which differences are meant to be.
type MatchOptions struct {
	// Fresh tells which of the model's tensors keep their initial values: a
	// file that lacks them or has them in another shape is no mismatch.
	Fresh func(name string) bool
	// Unused tells which of the file's tensors may go unused.
	Unused func(name string) bool
}

// Matching pairs what a model wants with what a file has.
type Matching struct {
	// Found has a tensor for each Spec, in their order; nil where the model
	// keeps its initial values.
	Found []*Tensor
	// Fresh names the wanted tensors that keep their initial values.
	Fresh []string
	// Unused names the file's tensors that nobody wants.
	Unused []string
}

// MismatchError tells how a file differs from what a model wants.
type MismatchError struct {
	// First tells the first difference in the model's order.
	First string
	// Missing and Reshaped name wanted tensors, Unexpected the file's.
	Missing, Reshaped, Unexpected []string
}

// Error is the first difference with the counts of all.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("the weights do not fit the model: %s (in all %d missing, %d of another shape, %d unexpected)",
		e.First, len(e.Missing), len(e.Reshaped), len(e.Unexpected))
}

// Match finds the tensors that a model wants among those of a file. Where they
// differ otherwise than o allows, it answers a *MismatchError and no Matching,
// so that nothing is loaded by half.
func Match(want []Spec, have *Tensors, o MatchOptions) (*Matching, error) {
	m, bad := &Matching{Found: make([]*Tensor, len(want))}, new(MismatchError)
	wanted := make(map[string]bool, len(want))
	for _, s := range want {
		wanted[s.Name] = true
	}
	for t := range have.All() {
		if wanted[t.Name] {
			continue
		}
		m.Unused = append(m.Unused, t.Name)
		if o.Unused == nil || !o.Unused(t.Name) {
			bad.Unexpected = append(bad.Unexpected, t.Name)
		}
	}
	for i, s := range want {
		t, ok := have.Get(s.Name)
		fits := ok && slices.Equal(t.Shape, s.Shape)
		switch {
		case fits:
			m.Found[i] = &t
		case o.Fresh != nil && o.Fresh(s.Name), !ok && s.Optional:
			m.Fresh = append(m.Fresh, s.Name)
		case ok:
			bad.tell("tensor %s has shape %v in the file and %v in the model", s.Name, t.Shape, s.Shape)
			bad.Reshaped = append(bad.Reshaped, s.Name)
		default:
			if bad.First == "" {
				bad.tell("the file lacks tensor %s of shape %v%s", s.Name, s.Shape, nearest(s, bad.Unexpected, have))
			}
			bad.Missing = append(bad.Missing, s.Name)
		}
	}
	if len(bad.Unexpected) > 0 {
		t, _ := have.Get(bad.Unexpected[0])
		bad.tell("the file has tensor %s of shape %v, which the model does not", t.Name, t.Shape)
	}
	if bad.First != "" {
		return nil, bad
	}
	return m, nil
}

// tell keeps the first difference.
func (e *MismatchError) tell(format string, args ...any) {
	if e.First == "" {
		e.First = fmt.Sprintf(format, args...)
	}
}

// nearest suggests the unclaimed tensor whose name is most like the wanted
// one's; among equals, one of the same shape.
func nearest(s Spec, names []string, have *Tensors) string {
	const cut = 256 // of names that nobody chose by hand
	best, least := Tensor{}, -1
	for _, name := range names {
		if len(name) > cut {
			continue
		}
		t, _ := have.Get(name)
		d := 2 * levenshtein.ComputeDistance(name, s.Name)
		if !slices.Equal(t.Shape, s.Shape) {
			d++
		}
		if least < 0 || d < least {
			best, least = t, d
		}
	}
	if least < 0 {
		return ""
	}
	return fmt.Sprintf("; the nearest name there is %s of shape %v", best.Name, best.Shape)
}

// Under returns a predicate for Match: names that are one of the prefixes or
// lie below it, as fc.weight lies below fc.
func Under(prefixes ...string) func(name string) bool {
	return func(name string) bool {
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(name, p); ok && (rest == "" || rest[0] == '.') {
				return true
			}
		}
		return false
	}
}
