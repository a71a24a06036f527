package train

import (
	"fmt"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data/transform"
)

// augmentation is a way to look at an image more than once.
type augmentation struct {
	places []transform.Place
	flip   bool
	shift  int
}

// augmentations are test-time augmentations by their names in a configuration:
// crops5 and crops10 are torchvision's FiveCrop and TenCrop (Krizhevsky et al. 2012).
var augmentations = map[string]augmentation{
	"none":    {places: transform.Places[:1]},
	"flip":    {places: transform.Places[:1], flip: true},
	"crops5":  {places: transform.Places},
	"crops10": {places: transform.Places, flip: true},
	"shifts":  {places: transform.Places[:1], flip: true, shift: 1},
}

// Augment lets the evaluator average over several views of each image: none, flip
// (its mirror image too), crops5 (the middle and the corners of the resized image),
// crops10 (both) or shifts (moved by a pixel, and all of it mirrored). p is the preprocessing of its Loader.
func (e *Evaluator) Augment(name string, p checkpoint.Preprocessing) error {
	a, ok := augmentations[name]
	if !ok {
		return fmt.Errorf("test-time augmentation %q is unknown; known are none, flip, crops5, crops10 and shifts", name)
	}
	e.Flip, e.Shift, e.Views = a.flip, a.shift, nil
	for _, place := range a.places[1:] {
		t, err := evalTransform(p, place)
		if err != nil {
			return err
		}
		l, err := e.Loader.Through(t)
		if err != nil {
			return err
		}
		e.Views = append(e.Views, l)
	}
	return nil
}

// viewsOf is how many crops an augmentation takes of each image.
func viewsOf(name string) int { return len(augmentations[name].places) }
