// Package pickle reads Python's pickle format without being Python.
//
// A pickle is a program for a stack machine whose instructions may import and
// call anything; a hostile one runs commands. The machine here knows no
// imports. It builds numbers, strings, bytes, None and containers by itself;
// every other global is handed, by name, to a [Host] that says what it stands
// for or refuses it, and what the Host does not offer cannot be reached.
//
// Nor can a pickle take absurd amounts of memory or time: every length is
// compared with what is left of the file before anything is allocated, the
// depth of open brackets is bounded, and each instruction pays from a budget
// that is in proportion to the file's size.
//
// The opcodes are those of protocols 0 to 5, as CPython's pickletools.py
// documents them.
package pickle
