// Package faultfs is a disk on which the process dies at a chosen step: the
// call of that step is done by half or not at all, and no later call has any
// effect. Tests run a write once for every step and then read what is left.
package faultfs
