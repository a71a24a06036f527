package transform

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// CheckAuto says what is wrong with the name of an automatic augmentation; see
// Train.Auto.
func CheckAuto(spec string) error {
	if spec == "" || spec == "none" {
		return nil
	}
	_, err := parseAuto(spec, look{})
	return err
}

// autoForms are the first words of a name, with what makes an Op of the rest.
var autoForms = []struct {
	name  string
	parse func(name string, parts *parts, l look) Op
}{
	{"rand", parseRand},
	{"augmix", parseAugMix},
	{"original", parsePolicies},
	{"originalr", parsePolicies},
	{"v0", parsePolicies},
	{"v0r", parsePolicies},
	{"3a", parsePolicies},
	{"trivial", parseTrivial},
	{"ta_wide", parseTrivial},
}

// parseAuto makes the Op of a name such as rand-m7-mstd0.5-inc1.
func parseAuto(spec string, l look) (Op, error) {
	name, rest, more := strings.Cut(spec, "-")
	known := make([]string, len(autoForms))
	for i, form := range autoForms {
		if known[i] = form.name; form.name != name {
			continue
		}
		p := &parts{form: name}
		if more {
			p.read(rest)
		}
		op := form.parse(name, p, l)
		return op, p.finish()
	}
	return nil, fmt.Errorf("there is no %q; known are none, %s", name, strings.Join(known, ", "))
}

// parts are what stands between the dashes: a key of letters and its value.
type parts struct {
	form   string
	values map[string]string
	asked  []string
	err    error
}

// read cuts the text at its dashes. One between a key and a digit is a minus.
func (p *parts) read(text string) {
	p.values = map[string]string{}
	pieces := strings.Split(text, "-")
	for i := 0; i < len(pieces); i++ {
		piece := pieces[i]
		if i+1 < len(pieces) && strings.Trim(piece, letters) == "" && piece != "" && startsDigit(pieces[i+1]) {
			piece += "-" + pieces[i+1]
			i++
		}
		key, value := piece, ""
		if at := strings.IndexFunc(piece, func(c rune) bool { return !strings.ContainsRune(letters, c) }); at >= 0 {
			key, value = piece[:at], piece[at:]
		}
		if strings.HasPrefix(piece, "t") && p.form == "rand" { // the name of a set
			key, value = "t", piece[1:]
		}
		if _, again := p.values[key]; again {
			p.fail("the part %q comes twice", key)
		}
		p.values[key] = value
	}
}

const letters = "abcdefghijklmnopqrstuvwxyz"

func startsDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// fail keeps the first error.
func (p *parts) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// number is the value of a key, or preset; it must lie between low and high.
func (p *parts) number(key string, preset, low, high float64) float64 {
	return p.value(key, "a number", preset, low, high, func(text string) (float64, error) { return strconv.ParseFloat(text, 64) })
}

// whole is number for whole numbers.
func (p *parts) whole(key string, preset, low, high int) int {
	return int(p.value(key, "a whole number", float64(preset), float64(low), float64(high), func(text string) (float64, error) {
		n, err := strconv.Atoi(text)
		return float64(n), err
	}))
}

func (p *parts) value(key, kind string, preset, low, high float64, parse func(string) (float64, error)) float64 {
	p.asked = append(p.asked, key)
	text, ok := p.values[key]
	if !ok {
		return preset
	}
	delete(p.values, key)
	v, err := parse(text)
	if err != nil || !(v >= low && v <= high) {
		within := fmt.Sprintf(" from %v to %v", low, high)
		if high >= unbounded {
			within = fmt.Sprintf(" of at least %v", low)
		}
		p.fail("%s%s should be %s and %s%s", key, text, key, kind, within)
	}
	return v
}

// unbounded is beyond every magnitude that makes sense.
const unbounded = 1e6

// word is the value of a key that is a name, or "".
func (p *parts) word(key string, known ...string) string {
	p.asked = append(p.asked, key)
	text, ok := p.values[key]
	delete(p.values, key)
	if ok && !slices.Contains(known, text) {
		p.fail("%s%s names no set of operations; known are %s%s", key, text, key, strings.Join(known, ", "+key))
	}
	return text
}

// finish refuses parts that nobody asked for.
func (p *parts) finish() error {
	if p.err != nil {
		return p.err
	}
	left := slices.Sorted(maps.Keys(p.values))
	switch {
	case len(left) == 0:
		return nil
	case p.form == "rand" && left[0] == "w":
		return fmt.Errorf("the part w%s is unknown; weighted operations are tweights or t3aw", p.values["w"])
	case len(p.asked) == 0:
		return fmt.Errorf("the part %q is unknown; %s takes none", left[0]+p.values[left[0]], p.form)
	}
	return fmt.Errorf("the part %q is unknown; %s takes %s", left[0]+p.values[left[0]], p.form, strings.Join(p.asked, ", "))
}

// deviation is mstd, and the greatest magnitude that noise may make.
func (p *parts) deviation(preset float64) strength {
	return strength{deviation: p.number("mstd", preset, 0, unbounded), most: magnitudes}
}

func parseRand(_ string, p *parts, l look) Op {
	m := p.whole("m", magnitudes, 0, unbounded)
	n := p.whole("n", 2, 1, 100)
	probability := p.number("p", 0.5, 0, 1)
	r := &randAugment{layers: n, look: l, strength: p.deviation(0)}
	if r.strength.deviation > 100 {
		r.strength.deviation = math.Inf(1)
	}
	if most := p.whole("mmax", 0, 0, unbounded); most > 0 {
		r.strength.most = float64(most)
	}
	names := randOperations
	if p.whole("inc", 0, 0, 1) == 1 {
		names = increasing(names)
	}
	switch p.word("t", "weights", "3a", "3aw") {
	case "weights":
		names, r.weights = weightsOf(randWeights)
	case "3a":
		names = threeOperations
	case "3aw":
		names, r.weights = weightsOf(threeWeights)
	}
	if r.weights != nil && n > len(names) {
		p.fail("n%d asks for more than the %d weighted operations, of which each is taken once", n, len(names))
	}
	r.steps = steps(names, probability, float64(m))
	return r
}

func parseAugMix(_ string, p *parts, l look) Op {
	l.part = 0.3
	a := &augMix{look: l}
	m := p.whole("m", 3, 0, unbounded)
	a.width = p.whole("w", 3, 1, 100)
	if a.depth = p.whole("d", -1, -1, 100); a.depth == 0 {
		p.fail("d0 should be d and a whole number from 1 to 100, or d-1 for 1 to 3 by chance")
	}
	if a.alpha = p.number("a", 1, 0, unbounded); a.alpha == 0 {
		p.fail("a0 should be a and a number above 0")
	}
	a.blended = p.whole("b", 0, 0, 1) == 1
	a.strength = p.deviation(math.Inf(1))
	a.steps = steps(mixOperations, 1, float64(m))
	return a
}

func parsePolicies(name string, p *parts, l look) Op {
	return &autoAugment{policies: policies(name), strength: p.deviation(0), look: l}
}

func parseTrivial(_ string, _ *parts, l look) Op {
	l.fill = [3]uint8{} // torchvision's default: black
	return &trivialAugment{look: l}
}
