package op

// MSE is the mean of the squared differences of a prediction and a target.
type MSE struct{}

// Kind implements Op.
func (MSE) Kind() string { return "mse" }

// Infer implements Op.
func (MSE) Infer(in []Shape) ([]Shape, error) { return elementLoss("mse", in) }

// Work implements Op.
func (MSE) Work(in, out []Shape) Work { return traffic(3*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (MSE) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (MSE) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }

// MAE is the mean of the absolute differences of a prediction and a target. Where they
// are equal its gradient is 0.
type MAE struct{}

// Kind implements Op.
func (MAE) Kind() string { return "mae" }

// Infer implements Op.
func (MAE) Infer(in []Shape) ([]Shape, error) { return elementLoss("mae", in) }

// Work implements Op.
func (MAE) Work(in, out []Shape) Work { return traffic(3*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (MAE) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (MAE) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }

// Huber is the mean of d^2/2 where the difference d of a prediction and a target is at
// most Delta, and of Delta*(|d|-Delta/2) beyond (Huber 1964). The smooth L1 loss of
// beta is Huber's of that delta, divided by beta.
type Huber struct{ Delta float64 }

// Kind implements Op.
func (Huber) Kind() string { return "huber" }

// Infer implements Op.
func (Huber) Infer(in []Shape) ([]Shape, error) { return elementLoss("huber", in) }

// Work implements Op.
func (Huber) Work(in, out []Shape) Work { return traffic(5*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (Huber) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (Huber) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }
