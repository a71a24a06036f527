// Command trainer trains, fine-tunes and evaluates image models from a YAML
// recipe. "trainer help" lists its commands.
//
// Results for machines go to the standard output, as JSON with --json; everything
// for people goes to the standard error. It exits with 0 when done, 1 when
// something failed while running, 2 for wrong usage, configuration or input, and
// 130 when Ctrl-C stopped it after saving.
package main
