package sheet

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Look is the shape of pictures, and how they are normalised.
type Look struct {
	// Height, Width and Channels (1 or 3) of a picture.
	Height, Width, Channels int
	// Mean and Std of each channel, or one for all; see transform.Output.
	Mean, Std []float64
}

// Sheet is a contact sheet of pictures of one look. It is an image.Image.
type Sheet struct {
	*image.NRGBA
	look  Look
	scale int
}

const (
	// least is about the side in pixels up to which small pictures are magnified.
	least = 96
	// gap lies between pictures and around them.
	gap = 4
)

// face is the names'.
var face = basicfont.Face7x13

// New makes a white sheet with a row for each name and that many columns. Small
// pictures will be magnified by a whole number.
func New(look Look, names []string, columns int) *Sheet {
	s := &Sheet{look: look, scale: max(1, int(math.Round(least/float64(max(look.Height, look.Width)))))}
	end := s.corner(len(names), columns)
	s.NRGBA = image.NewNRGBA(image.Rect(0, 0, end.X, end.Y-face.Height-gap))
	draw.Draw(s, s.Bounds(), image.White, image.Point{}, draw.Src)
	for i, name := range names {
		top := s.corner(i, 0).Y - face.Height - gap
		pen := font.Drawer{Dst: s, Src: image.Black, Face: face, Dot: fixed.P(gap, top+face.Ascent)}
		pen.DrawString(name)
	}
	return s
}

// corner is where the upper left pixel of a picture goes.
func (s *Sheet) corner(row, column int) image.Point {
	width, height := s.look.Width*s.scale+gap, s.look.Height*s.scale+gap
	name := face.Height + gap
	return image.Pt(gap+column*width, gap+row*(height+name)+name)
}

// Paint draws a picture, whose values are in the order height, width, channel, with
// its normalisation undone; what is outside the range of a picture is clipped.
func (s *Sheet) Paint(row, column int, picture []float32) {
	l := &s.look
	at := func(y, x, c int) uint8 {
		c = min(c, l.Channels-1)
		mean, std := l.Mean[min(c, len(l.Mean)-1)], l.Std[min(c, len(l.Std)-1)]
		v := float64(picture[(y*l.Width+x)*l.Channels+c])*std + mean
		return uint8(math.Round(255 * min(max(v, 0), 1)))
	}
	corner := s.corner(row, column)
	for y := range l.Height * s.scale {
		for x := range l.Width * s.scale {
			sy, sx := y/s.scale, x/s.scale
			s.SetNRGBA(corner.X+x, corner.Y+y, color.NRGBA{at(sy, sx, 0), at(sy, sx, 1), at(sy, sx, 2), 255})
		}
	}
}
