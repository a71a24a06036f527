package vec

// How rows of C channels are handed to the kernels, which work on rows of whole
// vectors and pay for a last, partial vector in every row.
//
// Few channels leave little but partial vectors. There, several rows are read
// as one row whose per-channel values are a repeated pattern: three channels
// become rows of 96. The rows that are left over are one shorter row with a
// part of the pattern.

const (
	// fewChannels is where the partial vector begins to be too small a part of a
	// row to matter.
	fewChannels = 64
	// maxPattern is the longest pattern: of 63 channels, 16 rows.
	maxPattern = 1024
	// blockFolds is the number of rows, or of patterns, that are added up in
	// float32 before their sum goes to float64.
	blockFolds = 256
)

// folded is the number of rows of c channels that are read as one.
func folded(c int) int {
	n := 1
	for c < fewChannels && (n*c < fewChannels || n*c%lanes != 0) {
		n *= 2
	}
	return n
}

// BlockRows is the number of rows of c channels that sums over rows add up at
// a time: ranges of rows that begin at its multiples may be summed by calls of
// their own without changing a bit.
func BlockRows(c int) int { return blockFolds * folded(c) }

// pattern is the memory for one repeated per-channel value.
type pattern [maxPattern]float32

// repeat is the values, one a channel, as the kernels want them.
func (p *pattern) repeat(values []float32) []float32 {
	n := folded(len(values))
	if n == 1 {
		return values
	}
	row := p[:n*len(values)]
	tile(row, values)
	return row
}

// tile fills row with repetitions of values.
func tile(row, values []float32) {
	for have := copy(row, values); have < len(row); {
		have += copy(row[have:], row[:have])
	}
}

// A run is a piece of a tensor for one call of a kernel: rows of cols
// elements from an element on.
type run struct{ from, rows, cols int }

// runs cuts n elements into rows of a pattern and the shorter row that is left.
func runs(n, width int) [2]run {
	whole := n / width
	return [2]run{{0, whole, width}, {whole * width, 1, n % width}}
}

// blocks goes through the pieces of a tensor that are added up in float32:
// rows of cols elements, stride apart, and where several rows are read as one a
// last, shorter row. A piece belongs to the channels from channel on.
type blocks struct {
	elements, channels int // of the tensor
	begin, end         int // of the rows at hand

	from, rows, cols, stride int
	restFrom, rest           int
	channel                  int
}

// cutBlocks makes blocks of n elements, rows of c channels. Call next before
// each.
func cutBlocks(n, c int) blocks {
	return blocks{elements: n, channels: c, stride: folded(c) * c, channel: c}
}

// next goes on to the next block, if there is one.
func (b *blocks) next() bool {
	b.channel += b.cols
	if b.stride <= maxPattern || b.channel >= b.channels {
		if b.end == b.elements {
			return false
		}
		b.begin, b.end, b.channel = b.end, min(b.elements, b.end+blockFolds*b.stride), 0
		b.rows, b.rest = (b.end-b.begin)/b.stride, (b.end-b.begin)%b.stride
		b.restFrom = b.begin + b.rows*b.stride
	}
	b.from = b.begin + b.channel
	b.cols = min(maxPattern, b.stride-b.channel)
	return true
}

// restRows is the number of rows at restFrom.
func (b *blocks) restRows() int { return min(b.rest, 1) }
