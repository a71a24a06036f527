// Package formula makes the numbers that tests and the scripts in testdata make
// alike, so that golden files need to hold only results: testdata/formula.py of
// package models is the same in Python.
package formula
