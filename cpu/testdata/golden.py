#!/usr/bin/env python3
"""Writes golden.json beside it: operations with PyTorch's results, in float64.

Made with PyTorch 1.13.0 (Debian's python3-torch), seed 0. Each case holds the
attributes of an operation of graph/op, its inputs and its results, and after
them the inputs that it updates. Maps are (N, H, W, C), weights (KH, KW, C/groups, K).
"""
import json
import os

import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
cases = []
RELU = {"Lo": 0, "Hi": 1e300}  # JSON has no infinity


def value(t):
    if t is None:
        return None
    t = torch.as_tensor(t, dtype=torch.float64)
    return {"shape": list(t.shape), "data": [float("%.12g" % v) for v in t.detach().reshape(-1).tolist()]}


def case(kind, attrs, inputs, outputs):
    cases.append({"op": kind, "attrs": attrs, "in": [value(t) for t in inputs], "out": [value(t) for t in outputs]})


def nhwc(t):
    return t.detach().permute(0, 2, 3, 1).contiguous()


def hwio(t):
    return t.detach().permute(2, 3, 1, 0).contiguous()


def window(k, s, p, d):
    return {"KH": k[0], "KW": k[1], "StrideH": s[0], "StrideW": s[1], "PadTop": p[0], "PadBottom": p[0],
            "PadLeft": p[1], "PadRight": p[1], "DilationH": d[0], "DilationW": d[1]}


def leaf(*shape):
    return torch.randn(*shape, requires_grad=True)


# Convolutions: kernel, stride, padding, dilation, groups.
for k, s, p, d, g in [((3, 3), (1, 1), (1, 1), (1, 1), 1), ((3, 2), (2, 1), (1, 0), (1, 2), 2), ((1, 1), (2, 2), (0, 0), (1, 1), 1),
                      ((3, 3), (2, 2), (2, 1), (2, 1), 4)]:
    x, w, b = leaf(1, 4, 5, 6), leaf(4, 4 // g, *k), leaf(4)
    y = F.conv2d(x, w, b, s, p, d, g)
    dy = torch.randn_like(y)
    y.backward(dy)
    a = window(k, s, p, d) | {"Groups": g}
    case("conv2d", a | {"Bias": True}, [nhwc(x), hwio(w), b], [nhwc(y)])
    case("conv2d", a | {"Bias": True, "Clip": RELU}, [nhwc(x), hwio(w), b], [nhwc(F.relu(y))])
    case("conv2d_input_grad", a | {"H": 5, "W": 6}, [nhwc(dy), hwio(w)], [nhwc(x.grad)])
    case("conv2d_weight_grad", a, [nhwc(x), nhwc(dy)], [hwio(w.grad)])

# Linear layers.
x, w, b = leaf(3, 5), leaf(2, 5), leaf(2)
y = F.linear(x, w, b)
dy = torch.randn_like(y)
y.backward(dy)
case("linear", {"Bias": True}, [x, w.detach().t(), b], [y])
case("linear_input_grad", {}, [dy, w.detach().t()], [x.grad])
case("linear_weight_grad", {}, [x, dy], [w.grad.t()])

# Pools: kernel, stride, padding, dilation, ceil mode.
for k, s, p, d, ceil in [(2, 2, 0, 1, False), (3, 2, 1, 1, False), (3, 2, 1, 1, True), (2, 3, 1, 2, True), (3, 1, 1, 1, False)]:
    x = leaf(1, 2, 7, 6)
    y = F.max_pool2d(x, k, s, p, d, ceil)
    dy = torch.randn_like(y)
    y.backward(dy)
    a = window((k, k), (s, s), (p, p), (d, d))
    case("max_pool", a | {"Ceil": ceil}, [nhwc(x)], [nhwc(y), None])
    cases[-1]["grad"] = {"dy": value(nhwc(dy)), "dx": value(nhwc(x.grad))}
    if d == 1:
        for count in (False, True):
            x = leaf(1, 2, 7, 6)
            y = F.avg_pool2d(x, k, s, p, ceil, count)
            y.backward(dy)
            case("avg_pool", a | {"Ceil": ceil, "CountPad": count}, [nhwc(x)], [nhwc(y)])
            case("avg_pool_grad", a | {"CountPad": count, "H": 7, "W": 6}, [nhwc(dy)], [nhwc(x.grad)])
x = leaf(2, 3, 4, 5)
y = F.adaptive_avg_pool2d(x, 1).flatten(1)
dy = torch.randn_like(y)
y.backward(dy)
case("global_avg_pool", {}, [nhwc(x)], [y])
case("global_avg_pool_grad", {"H": 4, "W": 5}, [dy], [nhwc(x.grad)])

# Batch norm, in training and in evaluation.
x, g, b, r = leaf(3, 4, 2, 3), leaf(4), leaf(4), leaf(3, 4, 2, 3)
rm, rv = torch.randn(4), torch.rand(4) + 0.5
old = [rm.clone(), rv.clone(), torch.tensor(7)]
y = F.batch_norm(x, rm, rv, g, b, True, 0.1, 1e-5)
dy = torch.randn_like(y)
y.backward(dy)
mean = x.detach().mean((0, 2, 3))
inv = 1 / torch.sqrt(x.detach().var((0, 2, 3), unbiased=False) + 1e-5)
a = {"Eps": 1e-5, "Momentum": 0.1}
new = [rm, rv, torch.tensor(8)]
case("batch_norm", a, [nhwc(x), g, b] + old, [nhwc(y), mean, inv] + new)
case("batch_norm", a | {"Clip": RELU, "Residual": True}, [nhwc(x), g, b] + old + [nhwc(r)], [nhwc(F.relu(y + r)), mean, inv] + new)
case("batch_norm_grad", {}, [nhwc(x), g, mean, inv, nhwc(dy)], [nhwc(x.grad), g.grad, b.grad])
x.grad = g.grad = b.grad = None
z = F.relu(F.batch_norm(x, None, None, g, b, True, 0.1, 1e-5) + r)
z.backward(dy)
case("batch_norm_grad", {"Clip": RELU, "Residual": True, "Share": True}, [nhwc(x), g, mean, inv, nhwc(dy), nhwc(z)], [nhwc(x.grad), g.grad, b.grad, nhwc(r.grad)])
x.grad = g.grad = b.grad = None
y = F.batch_norm(x, rm, rv, g, b, False, 0.1, 1e-5)
y.backward(dy)
case("batch_norm_inference", {"Eps": 1e-5}, [nhwc(x), g, b, rm, rv], [nhwc(y)])
case("batch_norm_inference", {"Eps": 1e-5, "Clip": RELU, "Residual": True}, [nhwc(x), g, b, rm, rv, nhwc(r)], [nhwc(F.relu(y + r))])
case("batch_norm_inference_grad", {"Eps": 1e-5}, [nhwc(x), g, rm, rv, nhwc(dy)], [nhwc(x.grad), g.grad, b.grad])

# Activations and their gradients over [-100, 100].
points = torch.tensor([-100, -50, -20, -7, -3.5, -2.5, -1.5, -1e-3, -1e-8, 0, 1e-8, 1e-3, 0.3, 0.9, 1.7, 2.9, 3.5, 5.9, 7, 20, 50, 100])
# PyTorch 1.13 rounds 1/6 and CELU's 1/alpha to float32 in the backward pass: hence
# hard_sigmoid by its definition, and an alpha with an exact inverse.
hard_mish = lambda x: x / 2 * (x + 2).clamp(0, 2)
for name, alpha, f in [("relu", 0, F.relu), ("relu6", 0, F.relu6), ("leaky_relu", 0.01, lambda x: F.leaky_relu(x, 0.01)), ("elu", 0.7, lambda x: F.elu(x, 0.7)),
                       ("celu", 2, lambda x: F.celu(x, 2.0)), ("selu", 0, F.selu), ("gelu", 0, F.gelu), ("gelu_tanh", 0, lambda x: F.gelu(x, approximate="tanh")),
                       ("quick_gelu", 0, lambda x: x * torch.sigmoid(1.702 * x)), ("silu", 0, F.silu), ("mish", 0, F.mish), ("sigmoid", 0, torch.sigmoid),
                       ("tanh", 0, torch.tanh), ("hard_sigmoid", 0, lambda x: F.relu6(x + 3) / 6), ("hard_swish", 0, F.hardswish), ("hard_mish", 0, hard_mish), ("hard_tanh", 0, F.hardtanh)]:
    x = points.clone().requires_grad_()
    y = f(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    case("activation", {"Func": name, "Alpha": alpha}, [x], [y])
    case("activation_grad", {"Func": name, "Alpha": alpha}, [y if name in ("relu", "sigmoid", "tanh") else x, dy], [x.grad])

# Softmax and losses.
x = leaf(3, 5)
y = F.softmax(x, 1)
dy = torch.randn_like(y)
y.backward(dy)
case("softmax", {}, [x], [y])
case("softmax_grad", {}, [y, dy], [x.grad])
for smoothing in (0.0, 0.1):
    for soft in (False, True):
        x = (5 * torch.randn(3, 5)).requires_grad_()
        t = torch.rand(3, 5).softmax(1) * torch.tensor([[1.0], [1.0], [0.5]]) if soft else torch.tensor([4, 0, 2])
        loss = F.cross_entropy(x, t, label_smoothing=smoothing)
        loss.backward()
        case("cross_entropy", {"Soft": soft, "Smoothing": smoothing}, [x, t], [loss, x.grad])
for sum_classes in (False, True):
    x = torch.tensor([[-100.0, 100, 0.3], [-2, 5, -50]]).requires_grad_()
    t = torch.tensor([[0.0, 1, 0.1], [1, 0.2, 0]])
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    loss = loss.sum(1).mean() if sum_classes else loss.mean()
    loss.backward()
    case("bce_with_logits", {"SumClasses": sum_classes}, [x, t], [loss, x.grad])
x, t = leaf(2, 3), torch.randn(2, 3)
loss = F.mse_loss(x, t)
loss.backward()
case("mse", {}, [x, t], [loss, x.grad])

# Three steps of each optimizer over two groups; the gradient is scaled by 0.5.
segments = [{"Offset": 0, "Len": 3, "Group": 0}, {"Offset": 3, "Len": 2, "Group": 1}]


def steps(kind, attrs, state, make):
    w, g = torch.randn(5), torch.randn(3, 5)
    parts = [w[:3].clone().requires_grad_(), w[3:].clone().requires_grad_()]
    groups = [{"params": [parts[0]], "lr": 0.1, "weight_decay": 0.01}, {"params": [parts[1]], "lr": 0.05, "weight_decay": 0}]
    opt = make(groups)
    held = [torch.zeros(5) for _ in state]
    for i in range(3):
        before = [torch.cat(parts).detach()] + [h.clone() for h in held]
        parts[0].grad, parts[1].grad = 0.5 * g[i, :3], 0.5 * g[i, 3:]
        opt.step()
        held = [torch.cat([opt.state[p][key] for p in parts]) for key in state]
        hyper = torch.tensor([0.5, i + 1, 0.1, 0.01, 0.05, 0])
        case(kind, attrs | {"Segments": segments}, [before[0], g[i]] + before[1:] + [hyper],
             [torch.cat(parts)] + held)


steps("sgd_update", {}, [], lambda p: torch.optim.SGD(p, lr=1))
steps("sgd_update", {"Momentum": 0.9, "Dampening": 0.2}, ["momentum_buffer"], lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, dampening=0.2))
steps("sgd_update", {"Momentum": 0.9, "Nesterov": True}, ["momentum_buffer"], lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, nesterov=True))
for decoupled, make in ((False, torch.optim.Adam), (True, torch.optim.AdamW)):
    steps("adam_update", {"Beta1": 0.9, "Beta2": 0.99, "Eps": 1e-8, "Decoupled": decoupled}, ["exp_avg", "exp_avg_sq"],
          lambda p: make(p, lr=1, betas=(0.9, 0.99), eps=1e-8))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
