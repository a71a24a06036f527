package curve

import "github.com/seed52467199/trainer/configs"

// Sweep is one passage over the rates.
type Sweep struct {
	// Points are its steps, or those of them in which something was measured.
	Points []Point
	// Diverged reports that it ended before the last rate, because it had diverged.
	Diverged bool
}

// Band is what sweeps over the same rates say together.
type Band struct {
	// Points are the mean losses, as far as all sweeps go.
	Points []Point
	// Low and High are the least and the greatest loss at each point.
	Low, High []float64
	// Diverged reports that a sweep diverged at the last point.
	Diverged bool
}

// Join takes the mean of sweeps: up to where the first of them diverged, for beyond
// that only the lucky ones would count.
func Join(sweeps []Sweep) Band {
	var b Band
	for i, s := range sweeps {
		if i == 0 || len(s.Points) < len(b.Points) {
			b.Points = s.Points
		}
	}
	b.Points = append([]Point(nil), b.Points...)
	for i := range b.Points {
		sum, low, high := 0.0, sweeps[0].Points[i].Loss, sweeps[0].Points[i].Loss
		for _, s := range sweeps {
			loss := s.Points[i].Loss
			sum, low, high = sum+loss, min(low, loss), max(high, loss)
		}
		b.Points[i].Loss = sum / float64(len(sweeps))
		b.Low, b.High = append(b.Low, low), append(b.High, high)
	}
	for _, s := range sweeps {
		b.Diverged = b.Diverged || s.Diverged && len(s.Points) == len(b.Points)
	}
	return b
}

// Read reads the mean, as [Read] does the points of one sweep. c.Steps is the number
// of points that were planned.
func (b Band) Read(c configs.LRFind) Reading {
	x, y, diverged := usable(b.Points, c)
	return read(x, y, diverged || b.Diverged, c, len(b.Points))
}
