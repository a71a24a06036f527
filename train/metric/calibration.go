package metric

import "math"

// bins is how many intervals of confidence calibration is judged in.
const bins = 15

// calibration compares the probability of the class that is named with how often it
// is right, in 15 intervals of equal width, each with its upper end (Guo et al. 2017,
// arXiv 1706.04599).
type calibration struct {
	images, right [bins]int
	confidence    [bins]float64
}

func (c *calibration) add(confidence float64, right bool) {
	if math.IsNaN(confidence) {
		return
	}
	b := min(max(int(math.Ceil(confidence*bins))-1, 0), bins-1)
	c.images[b]++
	c.confidence[b] += confidence
	if right {
		c.right[b]++
	}
}

// errors are the expected and the maximum calibration error in percent: mean, over
// images, and maximum, over the intervals that have any, of the distance between
// confidence and accuracy of an interval.
func (c *calibration) errors() (expected, maximum float64) {
	all := 0
	for b, n := range c.images {
		if n == 0 {
			continue
		}
		all += n
		gap := math.Abs(c.confidence[b] - float64(c.right[b]))
		expected += gap
		maximum = max(maximum, gap/float64(n))
	}
	return 100 * expected / float64(all), 100 * maximum
}
