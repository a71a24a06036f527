package depthwise

import "github.com/seed52467199/trainer/cpu/isa"

var kernels = map[isa.Level]*Kernels{
	isa.Generic: goKernels,
	isa.AVX2:    {narrow},
	isa.AVX512:  {append([]Width{sixteen}, narrow...)},
}

var sixteen = Width{16, runAVX512_16, [Most]GradsFunc{
	gradsAVX512_16x1, gradsAVX512_16x2, gradsAVX512_16x3, gradsAVX512_16x4, gradsAVX512_16x5,
	gradsAVX512_16x6, gradsAVX512_16x7, gradsAVX512_16x8, gradsAVX512_16x9,
}}

var narrow = []Width{
	{8, runAVX2_8, [Most]GradsFunc{
		gradsAVX2_8x1, gradsAVX2_8x2, gradsAVX2_8x3, gradsAVX2_8x4, gradsAVX2_8x5,
		gradsAVX2_8x6, gradsAVX2_8x7, gradsAVX2_8x8, gradsAVX2_8x9,
	}},
	{4, runAVX2_4, [Most]GradsFunc{
		gradsAVX2_4x1, gradsAVX2_4x2, gradsAVX2_4x3, gradsAVX2_4x4, gradsAVX2_4x5,
		gradsAVX2_4x6, gradsAVX2_4x7, gradsAVX2_4x8, gradsAVX2_4x9,
	}},
	{1, runAVX2_1, [Most]GradsFunc{
		gradsAVX2_1x1, gradsAVX2_1x2, gradsAVX2_1x3, gradsAVX2_1x4, gradsAVX2_1x5,
		gradsAVX2_1x6, gradsAVX2_1x7, gradsAVX2_1x8, gradsAVX2_1x9,
	}},
}
