package data

import (
	"fmt"
	"strconv"
	"strings"
)

// maxExpanded bounds how many names a pattern may stand for.
const maxExpanded = 1 << 16

// expand lists what a pattern with braces stands for, as in a shell: {a,b} for
// either text, {00..12} for numbers of as many digits. Braces may be nested.
func expand(pattern string) ([]string, error) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		if strings.Contains(pattern, "}") {
			return nil, fmt.Errorf("%s has a closing brace without an opening one", pattern)
		}
		return []string{pattern}, nil
	}
	var parts []string
	from, depth, end := open+1, 0, -1
	for at := open; at < len(pattern) && end < 0; at++ {
		switch pattern[at] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				parts, from = append(parts, pattern[from:at]), at+1
			}
		case '}':
			if depth--; depth == 0 {
				parts, end = append(parts, pattern[from:at]), at
			}
		}
	}
	if end < 0 {
		return nil, fmt.Errorf("%s has an opening brace without a closing one", pattern)
	}
	var choices []string
	if len(parts) == 1 {
		var err error
		if choices, err = numbers(parts[0]); err != nil {
			return nil, err
		}
	} else {
		for _, p := range parts {
			list, err := expand(p)
			if err != nil {
				return nil, err
			}
			choices = append(choices, list...)
		}
	}
	rest, err := expand(pattern[end+1:])
	if err != nil {
		return nil, err
	}
	if len(choices)*len(rest) > maxExpanded {
		return nil, fmt.Errorf("%s stands for more than %d names", pattern, maxExpanded)
	}
	var names []string
	for _, c := range choices {
		for _, r := range rest {
			names = append(names, pattern[:open]+c+r)
		}
	}
	return names, nil
}

// numbers lists FIRST..LAST.
func numbers(text string) ([]string, error) {
	first, last, ok := strings.Cut(text, "..")
	from, err := strconv.ParseUint(first, 10, 32)
	to, err2 := strconv.ParseUint(last, 10, 32)
	if !ok || err != nil || err2 != nil || from > to {
		return nil, fmt.Errorf("{%s} is neither a choice such as {train,val} nor a range such as {0000..0012}", text)
	}
	if to-from >= maxExpanded {
		return nil, fmt.Errorf("{%s} stands for more than %d names", text, maxExpanded)
	}
	var list []string
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprintf("%0*d", len(first), n))
	}
	return list, nil
}
