package transform

import (
	"fmt"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/internal/rng"
)

// Pipeline makes network input of a picture: its ops, then flips and
// normalisation in one pass. It is safe for concurrent use with a Workspace and
// a stream for each user.
type Pipeline struct {
	size, channels int
	ops            []Op
	hflip, vflip   float64
	// table[c][v] is the normalised value of v in channel c.
	table [3][256]float32
}

// Shape is that of the output: height and width in pixels, and channels (1 or 3).
func (p *Pipeline) Shape() (height, width, channels int) { return p.size, p.size, p.channels }

// Apply transforms src into dst, which holds the height x width x channels of
// Shape in that order. src is only read.
func (p *Pipeline) Apply(dst []float32, src *imaging.Image, w *Workspace, s *rng.Stream) error {
	w.Start(src)
	if src.Channels != p.channels {
		imaging.Convert(w.Target(), src, p.channels)
		w.Commit()
	}
	for _, op := range p.ops {
		op.Apply(w, s)
	}
	im := w.Current()
	if im.Width != p.size || im.Height != p.size || im.Channels != p.channels {
		return fmt.Errorf("the transform made a picture of %dx%d with %d channels; the network takes %dx%d with %d",
			im.Width, im.Height, im.Channels, p.size, p.size, p.channels)
	}
	// No draw where no flip is wanted: evaluation stays free of the stream.
	mirrored := p.hflip > 0 && s.Bernoulli(p.hflip)
	upended := p.vflip > 0 && s.Bernoulli(p.vflip)
	p.normalize(dst, im, mirrored, upended)
	return nil
}

// normalize writes (v/255 - mean)/std of every value, flipped as asked.
func (p *Pipeline) normalize(dst []float32, im *imaging.Image, mirrored, upended bool) {
	width := im.Width * im.Channels
	for y := range im.Height {
		row := im.Row(y)
		if upended {
			row = im.Row(im.Height - 1 - y)
		}
		out := dst[y*width : (y+1)*width : (y+1)*width]
		switch {
		case im.Channels == 1 && mirrored:
			for x, v := range row {
				out[len(row)-1-x] = p.table[0][v]
			}
		case im.Channels == 1:
			for x, v := range row {
				out[x] = p.table[0][v]
			}
		case mirrored:
			to := len(row)
			for x := 0; x+3 <= len(row); x += 3 {
				to -= 3
				in, pixel := row[x:x+3:x+3], out[to:to+3:to+3]
				pixel[0], pixel[1], pixel[2] = p.table[0][in[0]], p.table[1][in[1]], p.table[2][in[2]]
			}
		default:
			for x := 0; x+3 <= len(row); x += 3 {
				in, pixel := row[x:x+3:x+3], out[x:x+3:x+3]
				pixel[0], pixel[1], pixel[2] = p.table[0][in[0]], p.table[1][in[1]], p.table[2][in[2]]
			}
		}
	}
}
