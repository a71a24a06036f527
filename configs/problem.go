package configs

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Where it was set: FILE:LINE, or the flag.
	Where string
	// Text is a sentence that names the key, what was found and what would be
	// right.
	Text string
}

// Error is Where and Text in one line.
func (p Problem) Error() string { return p.Where + ": " + p.Text }

// Invalid is the error for a configuration that cannot be used: all its
// problems, in the order of the text. errors.As finds it behind any error of
// [Load], [Parse] and [Config.Validate] that the configuration's author can mend.
type Invalid []Problem

// Error is one line: the first problem and the number of the others.
func (list Invalid) Error() string {
	text := list[0].Error()
	switch n := len(list) - 1; n {
	case 0:
		return text
	case 1:
		return text + " (and one more problem)"
	default:
		return fmt.Sprintf("%s (and %d more problems)", text, n)
	}
}

// Lines gives every problem its line.
func (list Invalid) Lines() string {
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// add notes a problem.
func (list *Invalid) add(where, format string, args ...any) {
	*list = append(*list, Problem{where, fmt.Sprintf(format, args...)})
}

// err is nil where there is no problem.
func (list Invalid) err() error {
	if len(list) == 0 {
		return nil
	}
	return list
}
