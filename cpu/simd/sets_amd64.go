package simd

import "github.com/seed52467199/trainer/cpu/isa"

var sets = map[isa.Level]*Set{
	isa.Generic: goSet,
	isa.AVX2: {
		Rows:     []Rows{{6, 16, rowsAVX2_6x16, rowsPastAVX2_6x16, rowsBesideAVX2_6x16}, {12, 8, rowsAVX2_12x8, nil, rowsBesideAVX2_12x8}},
		Cols:     []Cols{{6, 16, colsAVX2_6x16}, {12, 8, colsAVX2_12x8}},
		LaneRows: Rows{12, 8, laneRowsAVX2_12x8, nil, nil},
		LaneCols: LaneCols{9, 8, laneColsAVX2_9x8},
		Gather:   gathers,
		Deal:     deals,
		Sum:      sumAVX2,
		Scatter:  scatterAVX2,
		Fetch:    fetchAVX2,
		Square:   8,
		Turn:     transposeAVX2,
	},
	isa.AVX512: {
		Rows:     []Rows{{12, 32, rowsAVX512_12x32, rowsPastAVX512_12x32, rowsBesideAVX512_12x32}, {12, 16, rowsAVX512_12x16, rowsPastAVX512_12x16, rowsBesideAVX512_12x16}, {12, 8, rowsAVX2_12x8, nil, rowsBesideAVX2_12x8}},
		Cols:     []Cols{{8, 32, colsAVX512_8x32}, {12, 16, colsAVX512_12x16}, {12, 8, colsAVX2_12x8}},
		LaneRows: Rows{12, 16, laneRowsAVX512_12x16, nil, nil},
		LaneCols: LaneCols{9, 16, laneColsAVX512_9x16},
		Gather:   gathers,
		Deal:     deals,
		Sum:      sumAVX2,
		Scatter:  scatterAVX2,
		Fetch:    fetchAVX2,
		Square:   8,
		Turn:     transposeAVX2,
	},
}

var pairSet = &PairSet{
	Rows:   []PairRows{{12, 32, pairRowsAVX512_12x32}, {12, 16, pairRowsAVX512_12x16}},
	Cols:   []Cols{{8, 32, pairColsAVX512_8x32}, {12, 16, pairColsAVX512_12x16}},
	Gather: map[int]PairGatherFunc{16: pairGatherAVX2_16, 32: pairGatherAVX2_32},
	Deal:   map[int]PairDealFunc{8: pairDealAVX2_8, 12: pairDealAVX2_12},
}

var gathers = map[int]GatherFunc{
	6: gatherAVX2_6, 8: gatherAVX2_8, 12: gatherAVX2_12, 16: gatherAVX2_16, 32: gatherAVX2_32,
}

var deals = map[int]DealFunc{6: dealAVX2_6, 8: dealAVX2_8, 12: dealAVX2_12}
