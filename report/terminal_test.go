package report

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// screen is a Terminal over a buffer, with a bar if it has columns.
func screen(columns, every int) (*Terminal, *bytes.Buffer) {
	var out bytes.Buffer
	t := NewTerminal(&out, every)
	t.bar = bar{full: "#", empty: "."}
	if columns > 0 {
		t.width = func() int { return columns }
	}
	return t, &out
}

// visible writes the control sequences in words.
func visible(s string) string {
	return strings.NewReplacer(wipeLine, "<wipe>", eraseEnd, "<end>", "\r", "<cr>").Replace(s)
}

func run() *RunStarted {
	return &RunStarted{
		RunDir: "runs/x", Model: "lenet5", Device: "cpu (avx2)", Params: 61706, ArenaBytes: 3<<20 + 1<<19,
		TrainImages: 1500, ValImages: 297, Epochs: 12, UpdatesPerEpoch: 15, BatchSize: 100, Threads: 1, Seed: 42, Epoch: 1,
	}
}

func send(t *testing.T, l Listener, events ...Event) {
	t.Helper()
	for _, e := range events {
		if err := l.Handle(e); err != nil {
			t.Fatalf("%T: %v", e, err)
		}
	}
}

func TestPlainLines(t *testing.T) {
	term, out := screen(0, 10)
	resumed := run()
	resumed.Memory = Memory{Limit: 64 << 20, Parameters: 240 << 10, Input: 60 << 20, Saved: 3 << 19, Repeated: 3, ExtraTime: 0.0456}
	resumed.Resumed, resumed.Epoch, resumed.Update = true, 2, 15
	send(t, term, resumed, &EpochStarted{Epoch: 2, Epochs: 12})
	for b := 1; b <= 15; b++ {
		send(t, term, &Step{Epoch: 2, Update: 15 + b, Batch: b, Batches: 15, Images: 100, Loss: float64(b), LR: 0.05, ImagesPerSecond: 4321.9})
	}
	best := &EpochDone{Epoch: 2, Update: 30, TrainLoss: 0.5, EvalLoss: math.NaN(), Metrics: []Metric{{"top1", 97.5}}, LR: 5e-5,
		ImagesPerSecond: 4000, Time: 61 * time.Second, Best: true}
	send(t, term,
		&EvalStep{Batch: 1, Batches: 3, Images: 100},
		&Warning{Text: "left out 7 images", Names: []string{"a", "b\x1b[2J", "c", "d", "e", "f", "g"}},
		best,
		&Checkpointed{Path: "runs/x/checkpoints/last", Epoch: 2},
		&LRPoint{Step: 10, Steps: 100, LR: 1e-4, Loss: 9, Smoothed: 2.25},
		&Interrupted{Epoch: 3, Update: 35, Checkpoint: "runs/x/checkpoints/last", ResumeCommand: "trainer train --resume auto"},
		&RunDone{RunDir: "runs/x", Time: 3661 * time.Second, ImagesPerSecond: 4000, BestBy: "top1", Best: best, Last: best},
	)
	const want = `run       runs/x
model     lenet5, 61,706 parameters
data      1,500 images for training, 297 for validation
training  12 epochs of 15 updates, batch 100, seed 42
device    cpu (avx2), 1 thread
memory    240.0 KiB for parameters and optimizer, 3.5 MiB for activations, 60.0 MiB for images and the program: 63.7 MiB of 64.0 MiB; 1.5 MiB saved by recomputing 3 layers, about 4.6 % more time
resumed   in epoch 2 after 15 updates
epoch  2/12  update  20  batch  5/15  loss 3.0000  lr 0.05  4322 img/s
epoch  2/12  update  30  batch 15/15  loss 10.50  lr 0.05  4322 img/s
warning: left out 7 images
  a
  b\x1b[2J
  c
  d
  e
  and 2 more, all named in log.jsonl
epoch  2/12  train loss 0.5000  top1 97.50  lr 5.00e-05  4000 img/s  1:01  left 10:10  best
LR range test   10%   10/100  lr 1.00e-04  loss 2.2500

stopped in epoch 3 after 35 updates; saved in runs/x/checkpoints/last
to go on:  trainer train --resume auto
done in 1:01:01, 4000 img/s; best top1 97.50 in epoch 2
run folder: runs/x
`
	if got := out.String(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time passes only in Sleep
		term, out := screen(101, 1)
		send(t, term, &EpochStarted{Epoch: 1, Epochs: 12})
		for b := 5; b <= 15; b++ { // resumed within the epoch
			send(t, term, &Step{Epoch: 1, Update: b, Batch: b, Batches: 15, Images: 100, Loss: 1, LR: 0.05, ImagesPerSecond: 50})
			if b == 5 || b >= 10 {
				time.Sleep(2 * time.Second)
			}
		}
		send(t, term, &EvalStep{Batch: 1, Batches: 2})
		send(t, term, &EvalStep{Batch: 2, Batches: 2})
		send(t, term, &Warning{Text: "odd"}, &Warning{Text: "again"})
		send(t, term, &EpochDone{Epoch: 1, TrainLoss: 1, EvalLoss: 2, LR: 0.1, Time: time.Second, ImagesPerSecond: 5})
		if err := term.Close(); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(visible(out.String()), "<cr>", "\n<cr>")
		const want = `
<cr>epoch  1/12  ##########....................   33%   5/15  loss 1.0000  lr 0.05  50 img/s<end>
<cr>epoch  1/12  ############..................   40%   6/15  loss 1.0000  lr 0.05  50 img/s  eta 0:18<end>
<cr>epoch  1/12  ######################........   73%  11/15  loss 1.0000  lr 0.05  50 img/s  eta 0:03<end>
<cr>epoch  1/12  ########################......   80%  12/15  loss 1.0000  lr 0.05  50 img/s  eta 0:03<end>
<cr>epoch  1/12  ##########################....   86%  13/15  loss 1.0000  lr 0.05  50 img/s  eta 0:02<end>
<cr>epoch  1/12  ############################..   93%  14/15  loss 1.0000  lr 0.05  50 img/s  eta 0:01<end>
<cr>epoch  1/12  ##############################  100%  15/15  loss 1.0000  lr 0.05  50 img/s<end>
<cr>evaluation  ###############...............   50%  1/2<end>
<cr>evaluation  ##############################  100%  2/2<end><wipe>warning: odd
warning: again
epoch  1/12  train loss 1.0000  eval loss 2.0000  lr 0.1  5.0 img/s  0:01  left 0:11
`
		if got != want {
			t.Errorf("drew%s\nwant%s", got, want)
		}
	})
}

func TestBarFits(t *testing.T) {
	p := bar{full: "━", empty: "─"}
	for columns := 0; columns <= 80; columns++ {
		got := string(p.draw(nil, []byte("epoch  1/12"), []byte(" 40%   6/15  loss 1.0000"), 0.4, columns))
		line := strings.TrimSuffix(strings.TrimPrefix(got, "\r"), eraseEnd)
		if n := len([]rune(line)); n > columns {
			t.Errorf("%d columns get a line of %d: %q", columns, n, line)
		}
		if wide := columns >= 44; strings.Contains(line, "━") != wide || wide && !strings.HasSuffix(line, "1.0000") {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
}

func TestTerminalReportsWriteError(t *testing.T) {
	full := errors.New("no space left")
	term := NewTerminal(failing{full}, 1)
	if err := term.Handle(run()); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
