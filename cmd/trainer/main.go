package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed52467199/trainer/train"
)

// Exit statuses; scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)

	a := &app{stdout: stdout, stderr: stderr, started: time.Now()}
	root := a.command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	status := exitStatus(err)
	if err != nil && status != exitInterrupted {
		fmt.Fprintf(stderr, "trainer: %v\n", err)
	}
	return status
}

// usageError is an error that the user mends by other words, files or settings.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage marks err, unless nil, as one of usage, configuration or input.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

func exitStatus(err error) int {
	var asked usageError
	var diverged *train.NonFiniteError
	var input *train.InputError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, train.ErrInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &asked), errors.As(err, &diverged), errors.As(err, &input):
		return exitUsage
	}
	return exitFailed
}
