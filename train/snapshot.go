package train

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// snapshot holds all that training changes, in the host's memory.
type snapshot struct {
	memory []saved
	steps  int
	draws  uint64
	at     progress
	lr     float64
}

type saved struct {
	live op.Buffer
	copy []byte
}

// snapshot copies weights, running statistics, gradients, the optimizer's state,
// the moving average and all counters.
func (t *Trainer) snapshot() (*snapshot, error) {
	s := &snapshot{steps: t.Optimizer.Steps(), draws: t.Network.ws.Draws(), at: t.at, lr: t.lr}
	ps := t.Network.Params
	live := []op.Buffer{ps.Trained(), ps.Statistics(), ps.Grads()}
	live = append(live, t.Optimizer.Buffers()...)
	if t.EMA != nil {
		live = append(live, t.EMA.Buffers()...)
	}
	for _, b := range live {
		c := make([]byte, b.Len())
		if err := b.Download(c); err != nil {
			return nil, fmt.Errorf("keeping the state of the training: %w", err)
		}
		s.memory = append(s.memory, saved{b, c})
	}
	return s, nil
}

// restore puts everything back.
func (t *Trainer) restore(s *snapshot) error {
	for _, m := range s.memory {
		if err := m.live.Upload(m.copy); err != nil {
			return fmt.Errorf("putting back the state of the training: %w", err)
		}
	}
	t.Optimizer.SetSteps(s.steps)
	t.Network.ws.SetDraws(s.draws)
	t.at, t.lr = s.at, s.lr
	return nil
}
