package data

import "github.com/seed52467199/trainer/data/digits"

func init() {
	Register(Format{
		Name:   "digits",
		About:  "nothing: 1,797 handwritten digits of 8x8 pixels are embedded (1,500 train, 297 val)",
		NoRoot: true,
		Open:   openDigits,
	})
}

func openDigits(_, split string, o Options) (Dataset, error) {
	set, err := digits.Load()
	if err != nil {
		return nil, err
	}
	classes := numbered(10)
	if len(o.Classes) == len(classes) {
		classes = o.Classes
	}
	ds, err := FromPixels("embedded digits", set.Pixels, digits.Side, digits.Side, 1, set.Labels, classes)
	if err != nil {
		return nil, err
	}
	// One division for everybody, so that accuracies can be compared.
	const val = 297
	return splitOf(ds, "the embedded set of digits", split, float64(val)/digits.Count, 0)
}
