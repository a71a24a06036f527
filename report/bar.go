package report

const (
	barWidth = 30          // columns, where the terminal has them
	barLeast = 5           // a narrower one is left out
	eraseEnd = "\x1b[K"    // ECMA-48 EL: from the cursor to the end of the line
	wipeLine = "\r\x1b[2K" // to the first column, and the whole line
)

// bar is a line at the foot of a terminal that is drawn over again. It
// appends to buffers of its user's and allocates nothing.
type bar struct {
	full, empty string // one column each
	shown       bool   // it stands on the screen
}

// clear appends what removes the line, if it stands.
func (p *bar) clear(b []byte) []byte {
	if !p.shown {
		return b
	}
	p.shown = false
	return append(b, wipeLine...)
}

// draw appends the line: label, the bar done to the given fraction, text. Label
// and text are ASCII, so that a byte is a column. To fit the columns, first the
// bar gives way and then the end of the text.
func (p *bar) draw(b, label, text []byte, fraction float64, columns int) []byte {
	p.shown = true
	b = append(b, '\r')
	start := len(b)
	b = append(b, label...)
	b = append(b, "  "...)
	if width := min(barWidth, columns-len(label)-len(text)-4); width >= barLeast {
		done := int(min(max(fraction, 0), 1) * float64(width))
		for i := range width {
			if i < done {
				b = append(b, p.full...)
			} else {
				b = append(b, p.empty...)
			}
		}
		b = append(b, "  "...)
		b = append(b, text...)
	} else {
		b = append(b, text...)
		b = b[:min(len(b), start+columns)]
	}
	return append(b, eraseEnd...)
}
