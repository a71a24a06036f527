package transform

import (
	"fmt"
	"slices"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/pixel"
	"github.com/seed52467199/trainer/internal/rng"
)

// Pipeline makes network input of a picture: its ops, then flips and
// normalisation in one pass, then erasing. It is safe for concurrent use with a Workspace and
// a stream for each user.
type Pipeline struct {
	size, channels int
	ops            []Op
	hflip, vflip   float64
	turns          bool
	norm           pixel.Norm
	erase          Erase
}

// Shape is that of the output: height and width in pixels, and channels (1 or 3).
func (p *Pipeline) Shape() (height, width, channels int) { return p.size, p.size, p.channels }

// Turns tells whether pictures are mirrored by turns.
func (p *Pipeline) Turns() bool { return p.turns }

// Apply transforms src into dst, which holds the height x width x channels of
// Shape in that order. src is only read.
func (p *Pipeline) Apply(dst []float32, src *imaging.Image, w *Workspace, s *rng.Stream) error {
	defer w.Clock.resized(w.now())
	w.Start(src)
	if src.Channels != p.channels {
		imaging.Convert(w.Target(), src, p.channels)
		w.Commit()
	}
	if crop, ok := p.firstCrop(); ok {
		src := w.Current()
		x, y, width, height := crop.box(src.Width, src.Height, s)
		filter := drawn(crop.Filters, s)
		part := src.Crop(x, y, width, height)
		return p.cropped(dst, &part, part.Bounds(), filter, w, s)
	}
	return p.finish(dst, p.ops, w, s)
}

// finish does the given ops, flips, normalises and erases.
func (p *Pipeline) finish(dst []float32, ops []Op, w *Workspace, s *rng.Stream) error {
	for _, op := range ops {
		op.Apply(w, s)
	}
	im := w.Current()
	if im.Width != p.size || im.Height != p.size || im.Channels != p.channels {
		return fmt.Errorf("the transform made a picture of %dx%d with %d channels; the network takes %dx%d with %d",
			im.Width, im.Height, im.Channels, p.size, p.size, p.channels)
	}
	mirrored, upended := p.flips(w, s)
	p.normalize(dst, im, mirrored, upended, w)
	if v := w.varied(s); v != nil {
		p.erase.apply(dst, p.size, p.size, p.channels, v)
	}
	return nil
}

// ApplyEncoded is Apply to the contents of a picture file. Where a random crop to
// the network's size comes first, no more of it is decoded than the crop needs, and
// at a lower resolution if that is still no less than the network takes; see
// imaging.Decoder.DecodePart. Otherwise the whole is decoded.
func (p *Pipeline) ApplyEncoded(dst []float32, file []byte, w *Workspace, s *rng.Stream) error {
	start := w.now()
	info, err := w.decoder.Open(file)
	if err != nil {
		return err
	}
	crop, ok := p.firstCrop()
	if !ok {
		if err := w.decoder.Decode(&w.decoded, p.channels); err != nil {
			return err
		}
		w.Clock.decoded(start)
		return p.Apply(dst, &w.decoded, w, s)
	}
	x, y, width, height := crop.box(info.Width, info.Height, s)
	filter := drawn(crop.Filters, s)
	part, box, err := w.decoder.DecodePart(x, y, width, height, p.channels, p.size)
	if err != nil {
		return err
	}
	w.Clock.decoded(start)
	defer w.Clock.resized(w.now())
	return p.cropped(dst, &part, box, filter, w, s)
}

// firstCrop is the random crop that comes first, if so.
func (p *Pipeline) firstCrop() (RandomResizedCrop, bool) {
	crop, ok := p.ops[0].(RandomResizedCrop)
	return crop, ok && crop.Size == p.size
}

// cropped resizes a crop and does what comes after it. Where that is no op, flips
// and normalisation are part of resizing.
func (p *Pipeline) cropped(dst []float32, src *imaging.Image, box imaging.Rect, filter imaging.Filter, w *Workspace, s *rng.Stream) error {
	if rest := p.ops[1:]; len(rest) > 0 || filter == imaging.Nearest {
		w.Resizer.Resize(w.Target(), src, box, p.size, p.size, filter)
		w.Commit()
		return p.finish(dst, rest, w, s)
	}
	mirrored, upended := p.flips(w, s)
	w.Resizer.ResizeFloats(dst, src, box, p.size, p.size, filter, mirrored, upended, &p.norm)
	if v := w.varied(s); v != nil {
		p.erase.apply(dst, p.size, p.size, p.channels, v)
	}
	return nil
}

// flips draws whether to flip. No draw where no flip is wanted: evaluation stays
// free of the stream.
func (p *Pipeline) flips(w *Workspace, s *rng.Stream) (mirrored, upended bool) {
	mirrored = p.turns && w.Turned || !p.turns && p.hflip > 0 && s.Bernoulli(p.hflip)
	upended = p.vflip > 0 && s.Bernoulli(p.vflip)
	return mirrored, upended
}

// normalize writes (v/255 - mean)/std of every value, flipped as asked.
func (p *Pipeline) normalize(dst []float32, im *imaging.Image, mirrored, upended bool, w *Workspace) {
	n := im.Width * im.Channels
	for y := range im.Height {
		row := im.Row(y)
		if upended {
			row = im.Row(im.Height - 1 - y)
		}
		if mirrored {
			w.row = append(w.row[:0], row...)
			row = w.row
			slices.Reverse(row)
			if im.Channels == 3 {
				for x := 0; x+3 <= len(row); x += 3 { // the channels back in order
					row[x], row[x+2] = row[x+2], row[x]
				}
			}
		}
		pixel.Normalize(dst[y*n:(y+1)*n], row, &p.norm)
	}
}
