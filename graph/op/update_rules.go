package op

// SGD is PyTorch's. State: the momentum buffer m, if Momentum is not 0. With
// d += wd*w it does m = Momentum*m + (1-Dampening)*d (m = d at update 1), d = m or,
// with Nesterov, d + Momentum*m, and w -= lr*d.
type SGD struct {
	Momentum  float64
	Dampening float64
	Nesterov  bool
}

// RuleName implements Rule.
func (SGD) RuleName() string { return "sgd" }

// States implements Rule.
func (o SGD) States() int { return b2i(o.Momentum != 0) }

// FLOPs implements Rule.
func (SGD) FLOPs() int64 { return 6 }

// Adam is Adam (arXiv 1412.6980) and its kin, in PyTorch's order of operations. State:
// the moments m and v. It does d += wd*w or, with Decoupled (AdamW, arXiv 1711.05101),
// w *= 1-lr*wd; then m += (1-Beta1)*(d-m); v = Beta2*v + (1-Beta2)*d*d;
// w -= lr/(1-Beta1^t) * m / (sqrt(v)/sqrt(1-Beta2^t) + Eps).
//
// Nesterov takes m + (1-Beta1)*(d-m) in the place of m in the last step: timm's NAdamW
// (arXiv 1910.05446).
//
// Rectified is RAdam (arXiv 1908.03265): with the length of the average
// r = R - 2*t*Beta2^t/(1-Beta2^t) of at most R = 2/(1-Beta2) - 1, the last step is
// w -= lr/(1-Beta1^t) * m * c*sqrt(1-Beta2^t)/(sqrt(v)+Eps),
// c² = (r-4)*(r-2)*R / ((R-4)*(R-2)*r), where r is above 5, and else
// w -= lr/(1-Beta1^t) * m.
type Adam struct {
	Beta1, Beta2 float64
	Eps          float64
	Decoupled    bool
	Nesterov     bool
	Rectified    bool
}

// RuleName implements Rule.
func (Adam) RuleName() string { return "adam" }

// States implements Rule.
func (Adam) States() int { return 2 }

// FLOPs implements Rule.
func (Adam) FLOPs() int64 { return 12 }

// Adamax is PyTorch's form of the variant of Adam with the infinity norm
// (arXiv 1412.6980). State: the moment m and the norm n. With d += wd*w it does
// m += (1-Beta1)*(d-m); n = max(Beta2*n, |d|+Eps); w -= lr/(1-Beta1^t) * m/n.
type Adamax struct{ Beta1, Beta2, Eps float64 }

// RuleName implements Rule.
func (Adamax) RuleName() string { return "adamax" }

// States implements Rule.
func (Adamax) States() int { return 2 }

// FLOPs implements Rule.
func (Adamax) FLOPs() int64 { return 9 }

// RMSProp divides by the root of a running mean square. State: the mean square v and,
// if Momentum is not 0, the buffer m. With d += wd*w PyTorch's does
// v = Alpha*v + (1-Alpha)*d*d; d /= sqrt(v)+Eps; m = Momentum*m + d; w -= lr*m, and
// without momentum w -= lr*d. With TF, TensorFlow's way as timm has it, v starts at 1,
// d is divided by sqrt(v+Eps), and the learning rate goes into the buffer:
// m = Momentum*m + lr*d; w -= m.
type RMSProp struct {
	Alpha, Eps, Momentum float64
	TF                   bool
}

// RuleName implements Rule.
func (RMSProp) RuleName() string { return "rmsprop" }

// States implements Rule.
func (o RMSProp) States() int { return 1 + b2i(o.Momentum != 0) }

// FLOPs implements Rule.
func (RMSProp) FLOPs() int64 { return 11 }

// Lion is arXiv 2302.06675. State: the moment m. It does w *= 1-lr*wd;
// w -= lr*sign(m + (1-Beta1)*(d-m)); m += (1-Beta2)*(d-m).
type Lion struct{ Beta1, Beta2 float64 }

// RuleName implements Rule.
func (Lion) RuleName() string { return "lion" }

// States implements Rule.
func (Lion) States() int { return 1 }

// FLOPs implements Rule.
func (Lion) FLOPs() int64 { return 9 }

// Adan is arXiv 2208.06677 in timm's order of operations. State: the moments m, v and
// n, and minus the gradient before, p, which is -d at update 1. It does p += d;
// m += (1-Beta1)*(d-m); n = Beta2*n + (1-Beta2)*p; p = Beta2*p + d;
// v = Beta3*v + (1-Beta3)*p*p; with s = sqrt(v)/sqrt(1-Beta3^t) + Eps,
// w -= lr/(1-Beta1^t) * m/s + lr*Beta2/(1-Beta2^t) * n/s; w /= 1+lr*wd; p = -d.
// The order of the state is m, v, n, p.
type Adan struct{ Beta1, Beta2, Beta3, Eps float64 }

// RuleName implements Rule.
func (Adan) RuleName() string { return "adan" }

// States implements Rule.
func (Adan) States() int { return 4 }

// FLOPs implements Rule.
func (Adan) FLOPs() int64 { return 22 }

// MADGRAD is arXiv 2101.11075 as timm has it. State: the sum of squares v, the sum s
// and, if Momentum is not 0, the first weights x. With d += wd*w and
// l = (lr+Eps)*sqrt(t) it does v += l*d*d; s += l*d; z = x - s/(cbrt(v)+Eps);
// w = Momentum*w + (1-Momentum)*z. Without momentum x is w + s/(cbrt(v)+Eps) of before
// the update, and w = z.
type MADGRAD struct{ Momentum, Eps float64 }

// RuleName implements Rule.
func (MADGRAD) RuleName() string { return "madgrad" }

// States implements Rule.
func (o MADGRAD) States() int { return 2 + b2i(o.Momentum != 0) }

// FLOPs implements Rule.
func (MADGRAD) FLOPs() int64 { return 30 }
