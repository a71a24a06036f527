// Package report tells people and tools how a run goes. A training loop emits
// events; the listeners of this package turn them into a progress bar, plain
// lines, a CSV table, a JSON log, TensorBoard curves and an HTML page.
//
// The package does not know the loop: whoever sends these [Event] kinds is
// reported. A program with a loop of its own can use every listener.
//
//	folder, err := report.CreateRun("runs/digits", config)
//	files, err := folder.Listen(50)                 // every file of the folder
//	events := report.Tee(report.NewTerminal(os.Stderr, 50), files)
//	defer events.Close()
//	err = events.Handle(&report.RunStarted{RunDir: folder.Dir, Model: "lenet5", Epochs: 10})
//
// # Order of events
//
// A run sends RunStarted first (warnings may come before it), then for each
// epoch EpochStarted, one Step per update, EvalStep while the validation set
// is read, EpochDone and Checkpointed. It ends with exactly one of RunDone,
// Interrupted and RunFailed; StoppedEarly may come before RunDone. An LR range test
// sends LRPoint alone.
//
// # Counting
//
// Epochs, updates and batches count from 1 and say what is finished:
// EpochDone.Epoch is also the number of finished epochs, Step.Update the
// number of updates since the run began, over all resumptions.
//
// # Files
//
// [Summary], [Log], [TensorBoard] and [Page] each own one file of a run
// folder and survive a kill at any moment: whole files are replaced
// atomically, and appended ones hold whole records only. A resumed run
// continues them so that no epoch stands twice.
package report
