// Package golden reads the expected results in data/testdata that make_golden.py
// wrote, for the tests of the packages around it.
package golden
