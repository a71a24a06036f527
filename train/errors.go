package train

import (
	"errors"
	"fmt"
)

// ErrInterrupted is what Run answers, wrapped, when its context ended and the
// state was saved.
var ErrInterrupted = errors.New("training was interrupted")

// NonFiniteError stops a training whose loss is no longer a finite number. The
// last checkpoint was written before that.
type NonFiniteError struct {
	// What is the loss that is not finite: of a batch or of an evaluation.
	What string
	// Value is that loss.
	Value float64
	// Epoch and Update are where it was met, counted from 1.
	Epoch, Update int
	// LR is the learning rate of the update before.
	LR float64
	// Checkpoint is the last good one, "" where there is none yet.
	Checkpoint string
}

// Error names the place, the remedy and what is left.
func (e *NonFiniteError) Error() string {
	left := "no checkpoint was written before"
	if e.Checkpoint != "" {
		left = "the last good checkpoint is " + e.Checkpoint
	}
	return fmt.Sprintf("the loss of %s is %v in epoch %d at update %d (learning rate %.3g): lower optimizer.lr, set train.clip_grad or lengthen schedule.warmup_epochs; %s",
		e.What, e.Value, e.Epoch, e.Update, e.LR, left)
}

// InputError is what stops a run because of an input that cannot be used.
type InputError struct{ Err error }

// Error is the reason.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *InputError) Unwrap() error { return e.Err }
