package adapt

import (
	"fmt"
	"math"
)

// Positions turns a learned position embedding, a row of channels for each square of
// the image row by row, into one for another number of squares, by a cubic filter
// (a = -1/2) that is widened where there are fewer squares than before, as timm's
// resample_abs_pos_embed does. Both images are square. Where the table has a row for
// the class token in front, or two with the distillation token, the new one must have
// them, too; they are kept.
func Positions(table []float32, rows, channels, newRows int) ([]float32, error) {
	side, prefix, ok := grid(rows)
	newSide, newPrefix, fits := grid(newRows)
	switch {
	case channels < 1 || len(table) != rows*channels:
		return nil, fmt.Errorf("resizing positions: %d values for %d rows of %d channels", len(table), rows, channels)
	case !ok || !fits:
		return nil, fmt.Errorf("resizing positions: from %d to %d rows; each should be the square of a number, or one or two more with the tokens of a class and of distillation", rows, newRows)
	case prefix != newPrefix:
		return nil, fmt.Errorf("resizing positions: from %d to %d rows; both should have as many for the tokens of a class and of distillation", rows, newRows)
	}
	out := make([]float32, 0, newRows*channels)
	out = append(out, table[:prefix*channels]...)
	w := cubic(side, newSide)
	return append(out, separable(table[prefix*channels:], side, channels, w)...), nil
}

// grid is the side of a square of tokens, and how many tokens stand before it.
func grid(rows int) (side, prefix int, ok bool) {
	for prefix := range 3 {
		side := int(math.Round(math.Sqrt(float64(rows - prefix))))
		if side > 0 && side*side == rows-prefix {
			return side, prefix, true
		}
	}
	return 0, 0, false
}

// RelativeBias turns a table of relative positions, a row of heads for each of the
// (2*window-1)^2 distances of two tokens of a square window row by row, into one for
// another window, as timm's resize_rel_pos_bias_table does: what was learned for the
// distances is put at distances that grow geometrically up to the new window's, and the
// whole ones between are interpolated linearly, so that those nearby stay as they were.
func RelativeBias(table []float32, rows, heads, newRows int) ([]float32, error) {
	side, prefix, ok := grid(rows)
	newSide, newPrefix, fits := grid(newRows)
	switch {
	case heads < 1 || len(table) != rows*heads:
		return nil, fmt.Errorf("resizing a table of relative positions: %d values for %d rows of %d heads", len(table), rows, heads)
	case !ok || !fits || prefix+newPrefix != 0 || side%2 == 0 || newSide%2 == 0:
		return nil, fmt.Errorf("resizing a table of relative positions: from %d to %d rows; each should be the square of an odd number", rows, newRows)
	}
	return separable(table, side, heads, geometric(side, newSide)), nil
}

// separable applies the weights of an axis, one list for each new place, to both axes of
// a square of rows of channels.
func separable(table []float32, side, channels int, weights [][]float64) []float32 {
	n := len(weights)
	across := make([]float64, side*n*channels)
	for y := range side {
		for x, w := range weights {
			to := across[(y*n+x)*channels:][:channels]
			for from, f := range w {
				for c := range to {
					to[c] += f * float64(table[(y*side+from)*channels+c])
				}
			}
		}
	}
	out := make([]float32, n*n*channels)
	sum := make([]float64, n*channels)
	for y, w := range weights {
		clear(sum)
		for from, f := range w {
			for i, v := range across[from*n*channels:][:n*channels] {
				sum[i] += f * v
			}
		}
		for i, v := range sum {
			out[y*n*channels+i] = float32(v)
		}
	}
	return out
}

// cubic are the weights by which a row of from samples becomes one of to samples. The
// filter looks at two samples each way, or where there will be fewer, at two of those;
// what lies beyond the ends does not count.
func cubic(from, to int) [][]float64 {
	scale := float64(from) / float64(to)
	wide := max(scale, 1)
	weights := make([][]float64, to)
	for i := range weights {
		w := make([]float64, from)
		center, sum := scale*(float64(i)+0.5), 0.0
		for j := range w {
			w[j] = keys((float64(j) + 0.5 - center) / wide)
			sum += w[j]
		}
		for j := range w {
			w[j] /= sum
		}
		weights[i] = w
	}
	return weights
}

// keys is the cubic convolution kernel of Keys (1981) with a = -1/2.
func keys(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return a * (((x-5)*x+8)*x - 4)
	}
	return 0
}

// geometric are the weights by which a row of from samples around the middle one becomes
// one of to samples. The old ones lie 1, q, q^2... apart, going outward, where q, found
// by halving between 1.01 and 1.5, makes the outermost ones meet the new row's.
func geometric(from, to int) [][]float64 {
	weights := make([][]float64, to)
	if from == to {
		for i := range weights {
			weights[i] = make([]float64, from)
			weights[i][i] = 1
		}
		return weights
	}
	reach, newReach := from/2, to/2
	var q float64
	for left, right := 1.01, 1.5; right-left > 1e-6; {
		q = (left + right) / 2
		if (1-math.Pow(q, float64(reach)))/(1-q) > float64(newReach) {
			right = q
		} else {
			left = q
		}
	}
	at := make([]float64, from)
	distance := 1.0
	for i := 1; i <= reach; i++ {
		at[reach-i], at[reach+i] = -distance, distance
		distance += math.Pow(q, float64(i))
	}
	for i := range weights {
		w := make([]float64, from)
		x, right := float64(i-newReach), 0
		for right < from-1 && at[right] < x {
			right++
		}
		left := max(right-1, 0)
		before, after := max(x-at[left], 0), max(at[right]-x, 0)
		if before+after == 0 {
			before = 1
		}
		w[left] += after / (before + after)
		w[right] += before / (before + after)
		weights[i] = w
	}
	return weights
}
