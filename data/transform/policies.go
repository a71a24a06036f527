package transform

import (
	"slices"
	"strings"
)

// The sets of operations that timm's policies choose from.

var randOperations = []string{"AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "SolarizeAdd", "Color", "Contrast",
	"Brightness", "Sharpness", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel"}

// mixOperations are the paper's and four enhancements.
var mixOperations = []string{"AutoContrast", "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing", "Equalize",
	"Rotate", "PosterizeIncreasing", "SolarizeIncreasing", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel"}

// threeOperations are 3-Augment's (Touvron et al. 2022, arXiv 2204.07118).
var threeOperations = []string{"SolarizeIncreasing", "Desaturate", "GaussianBlur"}

// increasing are the operations whose effect grows with the magnitude, where there
// are two kinds.
func increasing(names []string) []string {
	names = slices.Clone(names)
	for i, name := range names {
		if _, two := operations[name+"Increasing"]; two {
			names[i] = name + "Increasing"
		}
	}
	return names
}

// weight is how often an operation is drawn, beside others.
type weight struct {
	name   string
	weight float64
}

// randWeights follow what the operations brought in the papers.
var randWeights = []weight{{"Rotate", 3}, {"ShearX", 2}, {"ShearY", 2}, {"TranslateXRel", 1}, {"TranslateYRel", 1}, {"ColorIncreasing", .25},
	{"SharpnessIncreasing", .25}, {"AutoContrast", .25}, {"SolarizeIncreasing", .05}, {"SolarizeAdd", .05}, {"ContrastIncreasing", .05},
	{"BrightnessIncreasing", .05}, {"Equalize", .05}, {"PosterizeIncreasing", .05}, {"Invert", .05}}

// threeWeights are 3-Augment's operations and, more rarely, others.
var threeWeights = []weight{{"SolarizeIncreasing", 6}, {"Desaturate", 6}, {"GaussianBlur", 6}, {"Rotate", 3}, {"ShearX", 2}, {"ShearY", 2},
	{"PosterizeIncreasing", 1}, {"AutoContrast", 1}, {"ColorIncreasing", 1}, {"SharpnessIncreasing", 1}, {"ContrastIncreasing", 1},
	{"BrightnessIncreasing", 1}, {"Equalize", 1}, {"Invert", 1}}

func weightsOf(list []weight) (names []string, weights []float64) {
	for _, w := range list {
		names = append(names, w.name)
		weights = append(weights, w.weight)
	}
	return names, weights
}

// planned is one step of a policy that was searched for.
type planned struct {
	name        string
	probability float64
	magnitude   float64
}

// policies are AutoAugment's by name. The r of v0r and originalr is for a
// posterising that grows with the magnitude.
func policies(name string) [][]step {
	table, posterize := originalPolicies, "PosterizeOriginal"
	switch strings.TrimSuffix(name, "r") {
	case "v0":
		table, posterize = v0Policies, "Posterize"
	case "3a":
		table = threePolicies
	}
	if strings.HasSuffix(name, "r") {
		posterize = "PosterizeIncreasing"
	}
	list := make([][]step, len(table))
	for i, policy := range table {
		for _, p := range policy {
			if p.name == "Posterize" {
				p.name = posterize
			}
			list[i] = append(list[i], step{operations[p.name], p.probability, p.magnitude})
		}
	}
	return list
}

// originalPolicies are those of the paper for ImageNet.
var originalPolicies = [][]planned{
	{{"Posterize", 0.4, 8}, {"Rotate", 0.6, 9}},
	{{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
	{{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}},
	{{"Posterize", 0.6, 7}, {"Posterize", 0.6, 6}},
	{{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},
	{{"Equalize", 0.4, 4}, {"Rotate", 0.8, 8}},
	{{"Solarize", 0.6, 3}, {"Equalize", 0.6, 7}},
	{{"Posterize", 0.8, 5}, {"Equalize", 1, 2}},
	{{"Rotate", 0.2, 3}, {"Solarize", 0.6, 8}},
	{{"Equalize", 0.6, 8}, {"Posterize", 0.4, 6}},
	{{"Rotate", 0.8, 8}, {"Color", 0.4, 0}},
	{{"Rotate", 0.4, 9}, {"Equalize", 0.6, 2}},
	{{"Equalize", 0, 7}, {"Equalize", 0.8, 8}},
	{{"Invert", 0.6, 4}, {"Equalize", 1, 8}},
	{{"Color", 0.6, 4}, {"Contrast", 1, 8}},
	{{"Rotate", 0.8, 8}, {"Color", 1, 2}},
	{{"Color", 0.8, 8}, {"Solarize", 0.8, 7}},
	{{"Sharpness", 0.4, 7}, {"Invert", 0.6, 8}},
	{{"ShearX", 0.6, 5}, {"Equalize", 1, 9}},
	{{"Color", 0.4, 0}, {"Equalize", 0.6, 3}},
	{{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},
	{{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
	{{"Invert", 0.6, 4}, {"Equalize", 1, 8}},
	{{"Color", 0.6, 4}, {"Contrast", 1, 8}},
	{{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}},
}

// v0Policies are those that EfficientNet was trained with on TPUs.
var v0Policies = [][]planned{
	{{"Equalize", 0.8, 1}, {"ShearY", 0.8, 4}},
	{{"Color", 0.4, 9}, {"Equalize", 0.6, 3}},
	{{"Color", 0.4, 1}, {"Rotate", 0.6, 8}},
	{{"Solarize", 0.8, 3}, {"Equalize", 0.4, 7}},
	{{"Solarize", 0.4, 2}, {"Solarize", 0.6, 2}},
	{{"Color", 0.2, 0}, {"Equalize", 0.8, 8}},
	{{"Equalize", 0.4, 8}, {"SolarizeAdd", 0.8, 3}},
	{{"ShearX", 0.2, 9}, {"Rotate", 0.6, 8}},
	{{"Color", 0.6, 1}, {"Equalize", 1, 2}},
	{{"Invert", 0.4, 9}, {"Rotate", 0.6, 0}},
	{{"Equalize", 1, 9}, {"ShearY", 0.6, 3}},
	{{"Color", 0.4, 7}, {"Equalize", 0.6, 0}},
	{{"Posterize", 0.4, 6}, {"AutoContrast", 0.4, 7}},
	{{"Solarize", 0.6, 8}, {"Color", 0.6, 9}},
	{{"Solarize", 0.2, 4}, {"Rotate", 0.8, 9}},
	{{"Rotate", 1, 7}, {"TranslateYRel", 0.8, 9}},
	{{"ShearX", 0, 0}, {"Solarize", 0.8, 4}},
	{{"ShearY", 0.8, 0}, {"Color", 0.6, 4}},
	{{"Color", 1, 0}, {"Rotate", 0.6, 2}},
	{{"Equalize", 0.8, 4}, {"Equalize", 0, 8}},
	{{"Equalize", 1, 4}, {"AutoContrast", 0.6, 2}},
	{{"ShearY", 0.4, 7}, {"SolarizeAdd", 0.6, 7}},
	{{"Posterize", 0.8, 2}, {"Solarize", 0.6, 10}},
	{{"Solarize", 0.6, 8}, {"Equalize", 0.6, 1}},
	{{"Color", 0.8, 6}, {"Rotate", 0.4, 5}},
}

// threePolicies are 3-Augment's: one of three changes.
var threePolicies = [][]planned{
	{{"Solarize", 1, 5}},
	{{"Desaturate", 1, 10}},
	{{"GaussianBlurRand", 1, 10}},
}
