package winograd

import "github.com/seed52467199/trainer/cpu/isa"

var kernels = map[isa.Level]*Kernels{
	isa.Generic: goKernels,
	isa.AVX2: {
		Width: 8,
		F2: Tile{
			form:  filtering2,
			Input: input2AVX2, Weight: weight2AVX2, Spread: spread2AVX2,
			Output: output2AVX2, OutputAdd: outputAdd2AVX2,
			Gradient: gradient2AVX2, GradientAdd: gradientAdd2AVX2,
			HalfInput: halfInput2AVX2, HalfSpread: halfSpread2AVX2, HalfOutput: halfOutput2AVX2, HalfOutputAdd: halfOutputAdd2AVX2,
		},
		F4: Tile{
			form:  filtering4,
			Input: input4AVX2, Weight: weight4AVX2, Spread: spread4AVX2,
			Output: output4AVX2, OutputAdd: outputAdd4AVX2,
			Gradient: gradient4AVX2, GradientAdd: gradientAdd4AVX2,
			HalfInput: halfInput4AVX2, HalfSpread: halfSpread4AVX2, HalfOutput: halfOutput4AVX2, HalfOutputAdd: halfOutputAdd4AVX2,
		},
		Strided: Tile{
			form:  striding,
			Input: stridedInputAVX2, Weight: stridedWeightAVX2, Spread: stridedSpreadAVX2,
			Output: stridedOutputAVX2, OutputAdd: stridedOutputAddAVX2,
			Gradient: stridedGradientAVX2, GradientAdd: stridedGradientAddAVX2,
		},
		Turned: Tile{
			form:  turning,
			Input: turnedInputAVX2, Weight: stridedWeightAVX2,
			Output: turnedOutputAVX2, OutputAdd: turnedOutputAddAVX2,
		},
		Quartered: Tile{
			form:  quartering,
			Input: leftAVX2, Weight: rightAVX2, Spread: rightAVX2,
			Output: productAVX2, OutputAdd: productAddAVX2,
			Gradient: quartersAVX2, GradientAdd: productAddAVX2,
		},
	},
	isa.AVX512: {
		Width: 16,
		F2: Tile{
			form:  filtering2,
			Input: input2AVX512, Weight: weight2AVX512, Spread: spread2AVX512,
			Output: output2AVX512, OutputAdd: outputAdd2AVX512,
			Gradient: gradient2AVX512, GradientAdd: gradientAdd2AVX512,
			HalfInput: halfInput2AVX512, HalfSpread: halfSpread2AVX512, HalfOutput: halfOutput2AVX512, HalfOutputAdd: halfOutputAdd2AVX512,
			PairInput: pairInput2AVX512,
			LowInput:  lowInput2AVX512, HighInput: highInput2AVX512,
			LowSpread: lowSpread2AVX512, HighSpread: highSpread2AVX512,
		},
		F4: Tile{
			form:  filtering4,
			Input: input4AVX512, Weight: weight4AVX512, Spread: spread4AVX512,
			Output: output4AVX512, OutputAdd: outputAdd4AVX512,
			Gradient: gradient4AVX512, GradientAdd: gradientAdd4AVX512,
			HalfInput: halfInput4AVX512, HalfSpread: halfSpread4AVX512, HalfOutput: halfOutput4AVX512, HalfOutputAdd: halfOutputAdd4AVX512,
			PairInput: pairInput4AVX512,
			LowInput:  lowInput4AVX512, HighInput: highInput4AVX512,
			LowSpread: lowSpread4AVX512, HighSpread: highSpread4AVX512,
		},
		Strided: Tile{
			form:  striding,
			Input: stridedInputAVX512, Weight: stridedWeightAVX512, Spread: stridedSpreadAVX512,
			Output: stridedOutputAVX512, OutputAdd: stridedOutputAddAVX512,
			Gradient: stridedGradientAVX512, GradientAdd: stridedGradientAddAVX512,
		},
		Turned: Tile{
			form:  turning,
			Input: turnedInputAVX512, Weight: stridedWeightAVX512,
			Output: turnedOutputAVX512, OutputAdd: turnedOutputAddAVX512,
		},
		Quartered: Tile{
			form:  quartering,
			Input: leftAVX512, Weight: rightAVX512, Spread: rightAVX512,
			Output: productAVX512, OutputAdd: productAddAVX512,
			Gradient: quartersAVX512, GradientAdd: productAddAVX512,
		},
	},
}
