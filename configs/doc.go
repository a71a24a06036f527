// Package configs is the typed configuration of a run: its keys, their
// defaults and ranges, and the recipes that come with the program.
//
// A [Config] comes from [Load], which takes the name of an embedded recipe or
// a YAML file. The file may extend another one; what is said on the command
// line wins over both:
//
//	extends: cifar10-resnet20-quick   # a recipe, or a file relative to this one
//	optimizer: {lr: 0.05}
//	train:     {epochs: 30}
//
// Nothing is accepted silently. An unknown key, also inside a section, is an
// error that names the nearest known one; a value of the wrong type or out of
// its range is an error that names the file, the line, the key, what was found
// and what would be right; so are values that contradict each other. All of
// these come back as one [Invalid].
//
// Every key is one struct field in config.go. Its type, its tags and its
// comment are all there is to write: the loader, the checks, the JSON Schema
// ([Schema]) and the YAML output are made from them.
//
// Values are merged by viper. Its rules for finding files, guessing types and
// folding case are not used: what reaches it has been read and checked here.
package configs
