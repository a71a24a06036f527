// Gen writes the assembly of package vec.
//
// Every kernel is described once, in terms of vectors whose width is that of
// the target. Run it in the folder of package vec:
//
//	go run ./gen -target avx2 -out kernels_avx2_amd64.s -stubs kernels_avx2_amd64.go
//	go run ./gen -target avx512 -out kernels_avx512_amd64.s -stubs kernels_avx512_amd64.go
//	go run ./gen -target dispatch
//
// The last writes dispatch_amd64.go and dispatch_other.go, which choose between
// the widths while the program runs.
package main

import (
	"flag"
	"log"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
)

// A definition is one kernel: its name, the parameters of its Go signature and
// the code that writes its body.
type definition struct {
	name, doc, params string
	body              func(*kernel)
}

// definitions is every kernel of the package, in the order of the files.
func definitions() []definition {
	var all []definition
	for _, family := range [][]definition{
		elementwiseKernels, reductionKernels, settlingKernels, channelKernels, batchNormKernels,
		activationKernels, lossKernels, poolingKernels, optimizerKernels, imageKernels, bfloat16Kernels,
	} {
		all = append(all, family...)
	}
	return append(all, halfKernels(all)...)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("vec/gen: ")
	target := flag.String("target", "", "what to write: avx2, avx512 or dispatch")
	flag.Parse()
	switch *target {
	case "avx2":
		writeKernels(avx2)
	case "avx512":
		writeKernels(avx512)
	case "dispatch":
		writeDispatch()
	default:
		log.Fatalf("-target %q: known are avx2, avx512 and dispatch", *target)
	}
}

// writeKernels writes every kernel for one target to the files that avo's flags name.
func writeKernels(t target) {
	build.ConstraintExpr("amd64")
	constants := newConstants(t)
	for _, d := range definitions() {
		build.TEXT(d.name+t.suffix, attr.NOSPLIT, "func("+d.params+")")
		build.Pragma("noescape")
		build.Doc(d.name + t.suffix + " " + d.doc)
		d.body(newKernel(t, constants, d.params))
		build.VZEROUPPER()
		build.RET()
	}
	constants.write()
	build.Generate()
}
