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
}

// augmentations are test-time augmentations by their names in a configuration:
// crops5 and crops10 are torchvision's FiveCrop and TenCrop (Krizhevsky et al. 2012).
var augmentations = map[string]augmentation{
	"none":    {places: transform.Places[:1]},
	"flip":    {places: transform.Places[:1], flip: true},
	"crops5":  {places: transform.Places},
	"crops10": {places: transform.Places, flip: true},
}

// Augment lets the evaluator average over several views of each image: none, flip
// (its mirror image too), crops5 (the middle and the corners of the resized image) or
// crops10 (both). p is the preprocessing of its Loader.
func (e *Evaluator) Augment(name string, p checkpoint.Preprocessing) error {
	a, ok := augmentations[name]
	if !ok {
		return fmt.Errorf("test-time augmentation %q is unknown; known are none, flip, crops5 and crops10", name)
	}
	e.Flip, e.Views = a.flip, nil
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
