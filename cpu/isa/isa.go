package isa

import (
	"fmt"
	"os"
	"sync"

	"github.com/klauspost/cpuid/v2"
)

// Level is a set of instructions that a kernel may rely on. Higher levels
// include the lower ones.
type Level int

const (
	// Generic is portable Go.
	Generic Level = iota
	// AVX2 is AVX2 with FMA3: 16 registers of 8 float32.
	AVX2
	// AVX512 is AVX-512 F, VL, BW and DQ: 32 registers of 16 float32.
	AVX512
)

// EnvVar is the environment variable that forces a level.
const EnvVar = "TRAINER_CPU"

var names = [...]string{"generic", "avx2", "avx512"}

// String is the name that EnvVar takes.
func (l Level) String() string { return names[l] }

// Best is the highest level that this processor and operating system support.
func Best() Level {
	switch {
	case cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.AVX512F, cpuid.AVX512VL, cpuid.AVX512BW, cpuid.AVX512DQ):
		return AVX512
	case cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3):
		return AVX2
	}
	return Generic
}

// BFloat16 tells whether kernels may multiply bfloat16, with AVX512_BF16, at a level.
func BFloat16(l Level) bool { return l == AVX512 && cpuid.CPU.Supports(cpuid.AVX512BF16) }

// Parse reads a level's name. It refuses an unknown name and a level above best.
func Parse(name string, best Level) (Level, error) {
	for l, n := range names {
		if n != name {
			continue
		}
		if Level(l) > best {
			return best, fmt.Errorf("%s=%s: this processor has no %s; its best level is %s", EnvVar, name, name, best)
		}
		return Level(l), nil
	}
	return best, fmt.Errorf("%s=%s: unknown level; known are generic, avx2 and avx512", EnvVar, name)
}

var detect = sync.OnceValues(func() (Level, error) {
	best := Best()
	name := os.Getenv(EnvVar)
	if name == "" {
		return best, nil
	}
	return Parse(name, best)
})

// Active is the level in force: Best, or what EnvVar asks for where that is
// valid. Use Check at the start of a program to report an invalid EnvVar.
func Active() Level {
	l, _ := detect()
	return l
}

// Check returns the error of an EnvVar that names no usable level.
func Check() error {
	_, err := detect()
	return err
}
