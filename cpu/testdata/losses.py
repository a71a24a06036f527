#!/usr/bin/env python3
"""Writes losses.json beside it: losses with the results of PyTorch, torchvision and timm.

Made with PyTorch 2.15, torchvision 0.29.2 and timm 1.0.31 in float64, seed 0. The cases
have the form of golden.json's.
"""
import json
import os

import torch
import torch.nn.functional as F
from timm.loss import AsymmetricLossMultiLabel, AsymmetricLossSingleLabel, JsdCrossEntropy
from torchvision.ops import sigmoid_focal_loss

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
torch.Tensor.float = lambda t: t  # timm's losses would go on in float32
cases = []


def value(t):
    t = torch.as_tensor(t, dtype=torch.float64)
    return {"shape": list(t.shape), "data": [float("%.12g" % v) for v in t.detach().reshape(-1).tolist()]}


def case(kind, attrs, x, target, loss):
    loss.backward()
    inputs = [x] if target is None else [x, target]
    cases.append({"op": kind, "attrs": attrs, "in": [value(t) for t in inputs], "out": [value(loss), value(x.grad)]})


def leaf(n=4, k=5):
    return (3 * torch.randn(n, k)).requires_grad_()


weight, pos = torch.rand(5) + 0.5, 3 * torch.rand(5)
for w, p in ((weight, None), (None, pos), (weight, pos)):
    for sum_classes in (False, True):
        x, t = leaf(), torch.rand(4, 5)
        attrs = {"SumClasses": sum_classes} | ({"Weight": w.tolist()} if w is not None else {}) | ({"PosWeight": p.tolist()} if p is not None else {})
        loss = F.binary_cross_entropy_with_logits(x, t, w, pos_weight=p, reduction="none")
        case("bce_with_logits", attrs, x, t, loss.sum(1).mean() if sum_classes else loss.mean())
for alpha, gamma in ((0.25, 2.0), (-1, 1.5), (0.6, 0.0)):
    for soft in (False, True):
        x, t = leaf(), torch.rand(4, 5) if soft else (torch.rand(4, 5) < 0.4).double()
        case("sigmoid_focal", {"Alpha": alpha, "Gamma": gamma}, x, t, sigmoid_focal_loss(x, t, alpha, gamma, "mean"))
for gamma in (2.0, 0.5):
    x, t = leaf(), torch.rand(4, 5).softmax(1)
    logp = F.log_softmax(x, 1)
    case("softmax_focal", {"Gamma": gamma}, x, t, -(t * (1 - logp.exp()) ** gamma * logp).sum(1).mean())
for neg, positive, clip in ((4, 1, 0.05), (2, 0, 0), (0, 0, 0.05), (3, 1.5, 0.2)):
    for soft in (False, True):
        x, t = leaf(), torch.rand(4, 5) if soft else (torch.rand(4, 5) < 0.4).double()
        f = AsymmetricLossMultiLabel(neg, positive, clip, weight=weight if soft else None, pos_weight=pos if soft else None)
        attrs = {"GammaNeg": neg, "GammaPos": positive, "Clip": clip} | ({"Weight": weight.tolist(), "PosWeight": pos.tolist()} if soft else {})
        case("asymmetric", attrs, x, t, f(x, t))
for neg, positive, eps in ((4, 1, 0.1), (2, 0, 0), (1, 2, 0.2)):
    x, t = leaf(), torch.randint(0, 5, (4,))
    loss = AsymmetricLossSingleLabel(positive, neg, eps)(x, t)
    case("softmax_asymmetric", {"GammaNeg": neg, "GammaPos": positive, "Smoothing": eps}, x, F.one_hot(t, 5).double(), loss)
for splits in (2, 3):
    x, t = leaf(2 * splits), torch.randint(0, 5, (2,))
    with torch.no_grad():
        x[1, 0] = 60  # a mixture that is clamped
        x[1::2, 2] = -60
    loss = JsdCrossEntropy(splits, alpha=1, smoothing=0)(x, t) - F.cross_entropy(x[:2], t)
    case("jensen_shannon", {"Splits": splits}, x, None, loss)
x, t = leaf(), torch.randn(4, 5)
case("mae", {}, x, t, F.l1_loss(x, t))
for delta in (1.0, 0.3):
    x, t = leaf(), torch.randn(4, 5)
    case("huber", {"Delta": delta}, x, t, F.huber_loss(x, t, delta=delta))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "losses.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
