package vec

// Sums over rows are made in float32 for a block of them, one a column, and then go to
// float64. Column j of a block is of channel (first+j)%C: several rows may have been read
// as one.

// addColumns adds each column to the sum of its channel.
func addColumns(sum []float64, first int, columns []float32) {
	for len(columns) > 0 {
		n := min(len(sum)-first, len(columns))
		y, x := sum[first:first+n], columns[:n]
		whole := n - n%lanes
		if !addWide(y, x[:whole]) {
			whole = 0
		}
		for j := whole; j < n; j++ {
			y[j] += float64(x[j])
		}
		columns, first = columns[n:], 0
	}
}

// addMoments adds to sum and squares what each column has taken in of its channel: count
// rows, one more in the columns before more, with the sums s of their distances from
// pivot and q of the squares of these.
func addMoments(sum, squares []float64, first int, s, q, pivot []float32, count, more int) {
	for done := 0; done < len(pivot); {
		n := min(len(sum)-first, len(pivot)-done)
		rows := count
		if done < more {
			n, rows = min(n, more-done), count+1
		}
		settle(sum[first:first+n], squares[first:first+n], s[done:done+n], q[done:done+n], pivot[done:done+n], rows)
		done += n
		if first += n; first == len(sum) {
			first = 0
		}
	}
}

// settle is addMoments of columns that have all taken in count rows.
func settle(sum, squares []float64, s, q, pivot []float32, count int) {
	whole := len(s) - len(s)%lanes
	if !settleMoments(sum, squares, s[:whole], q, pivot, float32(count)) {
		whole = 0
	}
	for j := whole; j < len(s); j++ {
		p, distance := float64(pivot[j]), float64(s[j])
		shift := float64(count) * p
		sum[j] += distance + shift
		squares[j] += float64(q[j]) + p*(2*distance+shift)
	}
}
