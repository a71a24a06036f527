package configs

import (
	"fmt"
	"os"
	"regexp"
)

// Dir is Root with environment variables put in, or "" for a format that
// needs none. It is asked for when data is about to be read, so that a
// configuration can be shown, and a checkpoint used, where the variable is not
// set.
func (d Data) Dir() (string, error) {
	if d.Format == "digits" {
		return "", nil
	}
	if d.Root == "" {
		return "", Invalid{{"the configuration", fmt.Sprintf("data.root is empty, and should be where the %s data is", d.Format)}}
	}
	return expand("data.root", d.Root)
}

// ClassMapFile is ClassMap with environment variables put in.
func (d Data) ClassMapFile() (string, error) { return expand("data.class_map", d.ClassMap) }

// File is Weights with environment variables put in, or "" where training
// starts from scratch.
func (f Finetune) File() (string, error) { return expand("finetune.weights", f.Weights) }

// File is Teacher with environment variables put in, or "" without a teacher.
func (d Distill) File() (string, error) { return expand("distill.teacher", d.Teacher) }

// Folder is Dir with environment variables put in.
func (o Output) Folder() (string, error) { return expand("output.dir", o.Dir) }

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// expand puts environment variables into the value of a key.
func expand(key, value string) (string, error) {
	var problems Invalid
	expanded := variable.ReplaceAllStringFunc(value, func(reference string) string {
		name := reference[2 : len(reference)-1]
		set, ok := os.LookupEnv(name)
		if !ok || set == "" {
			problems.add("the configuration", "%s is %s, but the environment variable %s is not set; set it, or set %s", key, quote(value), name, key)
		}
		return set
	})
	return expanded, problems.err()
}
