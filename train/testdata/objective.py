#!/usr/bin/env python3
"""Writes objective.json beside it: losses and gradients of whole objectives.

Made with PyTorch 2.15, torchvision 0.29.2 and timm 1.0.31 in float64, seed 0: what they
give for labels, mixed targets, many labels and numbers, with smoothing, thresholds and
weights of classes. Mixed targets are stored as they are before smoothing.
"""
import json
import os

import torch
import torch.nn.functional as F
from timm.data.mixup import mixup_target
from timm.loss import AsymmetricLossMultiLabel, AsymmetricLossSingleLabel, BinaryCrossEntropy, JsdCrossEntropy, SoftTargetCrossEntropy
from torchvision.ops import sigmoid_focal_loss

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
torch.Tensor.float = lambda t: t  # timm's losses would go on in float32
N, K = 4, 5
cases = []
weight, pos = torch.rand(K) + 0.5, 3 * torch.rand(K)
labels = torch.tensor([4, 0, 2, 2])
many = (torch.rand(N, K) < 0.4).double()
numbers = torch.randn(N, K)
lam = torch.tensor([[0.3], [0.85], [0.85], [0.3]])
mixed = mixup_target(labels, K, lam)


def flat(t):
    return [float("%.9g" % v) for v in t.detach().reshape(-1).tolist()]


def case(name, task, target, f, **options):
    x = (2 * torch.randn(N, K)).requires_grad_()
    loss = f(x)
    loss.backward()
    c = {"Objective": {"Name": name, "Task": task, "Mixed": target is mixed} | options, "logits": flat(x), "loss": loss.item(), "grad": flat(x.grad)}
    c["labels" if target is labels else "targets"] = target.tolist() if target is labels else flat(target)
    cases.append(c)


CLASSIFY, MANY, REGRESS = 0, 1, 2
w, p = {"ClassWeights": weight.tolist()}, {"PosWeights": pos.tolist()}
for s in (0.0, 0.1):
    smooth = mixup_target(labels, K, lam, s)
    smoothing = {"Smoothing": s}
    case("cross_entropy", CLASSIFY, labels, lambda x: F.cross_entropy(x, labels, label_smoothing=s), **smoothing)
    case("cross_entropy", CLASSIFY, labels, lambda x: F.cross_entropy(x, labels, weight, label_smoothing=s), **smoothing, **w)
    case("cross_entropy", CLASSIFY, mixed, lambda x: SoftTargetCrossEntropy()(x, smooth), **smoothing)
    case("cross_entropy", CLASSIFY, mixed, lambda x: F.cross_entropy(x, mixed, weight, label_smoothing=s), **smoothing, **w)
    for total in (False, True):
        case("bce", CLASSIFY, labels, lambda x: BinaryCrossEntropy(s, sum_classes=total)(x, labels), SumClasses=total, **smoothing)
    case("bce", CLASSIFY, labels, lambda x: BinaryCrossEntropy(s, 0.5)(x, labels), Threshold=0.5, **smoothing)
    case("bce", CLASSIFY, mixed, lambda x: BinaryCrossEntropy(s)(x, smooth), **smoothing)
    case("bce", CLASSIFY, mixed, lambda x: BinaryCrossEntropy(s, 0.2)(x, smooth), Threshold=0.2, **smoothing)
    case("bce", MANY, many, lambda x: BinaryCrossEntropy(s, smooth_dense=True, weight=weight, pos_weight=pos)(x, many), **smoothing, **w, **p)
    case("bce", MANY, many, lambda x: BinaryCrossEntropy(s, smooth_dense=True)(x, many), **smoothing)
    case("asymmetric", MANY, many, lambda x: AsymmetricLossMultiLabel(4, 1, 0.05, smoothing=s, pos_weight=pos)(x, many), GammaNeg=4, GammaPos=1, Clip=0.05, **smoothing, **p)
    case("asymmetric", CLASSIFY, labels, lambda x: AsymmetricLossSingleLabel(1, 4, s)(x, labels), GammaNeg=4, GammaPos=1, **smoothing)
onehot = F.one_hot(labels, K).double()
focal = {"Sigmoid": True, "FocalAlpha": 0.25, "FocalGamma": 2}
case("focal", MANY, many, lambda x: sigmoid_focal_loss(x, many, 0.25, 2, "mean"), **focal)
case("focal", CLASSIFY, labels, lambda x: sigmoid_focal_loss(x, onehot, 0.25, 2, "none").sum(1).mean(), SumClasses=True, **focal)
case("focal", CLASSIFY, labels, lambda x: -(weight[labels] * (1 - x.softmax(1)[range(N), labels]) ** 2 * x.log_softmax(1)[range(N), labels]).mean(), FocalGamma=2, **w)
case("mse", REGRESS, numbers, lambda x: F.mse_loss(x, numbers))
case("mae", REGRESS, numbers, lambda x: F.l1_loss(x, numbers))
case("huber", REGRESS, numbers, lambda x: F.huber_loss(x, numbers, delta=0.7), Delta=0.7)
case("smooth_l1", REGRESS, numbers, lambda x: F.smooth_l1_loss(x, numbers, beta=0.7), Beta=0.7)
case("smooth_l1", REGRESS, numbers, lambda x: F.smooth_l1_loss(x, numbers, beta=0.0), Beta=0.0)
labels = torch.tensor([4, 0, 4, 0])
for s in (0.0, 0.1):
    case("jsd", CLASSIFY, labels, lambda x: JsdCrossEntropy(2, 12, s)(x, labels), Splits=2, Consistency=12, Smoothing=s)
labels = torch.tensor([4, 0, 2, 2])
teacher = 3 * torch.randn(N, K)
for t in (1.0, 3.0):
    kl = lambda x: t * t * F.kl_div(F.log_softmax(x / t, 1), F.softmax(teacher / t, 1), reduction="batchmean")
    case("cross_entropy", CLASSIFY, labels, lambda x: 0.3 * F.cross_entropy(x, labels, label_smoothing=0.1) + 0.7 * kl(x), Smoothing=0.1)
    cases[-1] |= {"teacher": flat(teacher), "distill": {"Alpha": 0.7, "Temperature": t}}
    smooth = mixup_target(labels, K, lam, 0.1)
    case("bce", CLASSIFY, mixed, lambda x: 0.5 * BinaryCrossEntropy()(x, smooth) + 0.5 * kl(x), Smoothing=0.1)
    cases[-1] |= {"teacher": flat(teacher), "distill": {"Alpha": 0.5, "Temperature": t}}
case("cross_entropy", CLASSIFY, labels, lambda x: 0.5 * F.cross_entropy(x, labels) + 0.5 * F.cross_entropy(x, teacher.argmax(1)))
cases[-1] |= {"teacher": flat(teacher), "distill": {"Alpha": 0.5, "Temperature": 2, "Hard": True}}
many = (torch.rand(N, K) < 0.4).double()
for t in (1.0, 3.0):
    for total in (False, True):
        def binary(x):
            q, p = (x / t).sigmoid(), (teacher / t).sigmoid()
            kl = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
            return t * t * (kl.sum(1).mean() if total else kl.mean())
        case("bce", MANY, many, lambda x: 0.3 * BinaryCrossEntropy(0.1, smooth_dense=True, sum_classes=total)(x, many) + 0.7 * binary(x), Smoothing=0.1, SumClasses=total)
        cases[-1] |= {"teacher": flat(teacher), "distill": {"Alpha": 0.7, "Temperature": t}}
case("bce", MANY, many, lambda x: 0.4 * F.binary_cross_entropy_with_logits(x, many) + 0.6 * F.binary_cross_entropy_with_logits(x, (teacher > 0).double()))
cases[-1] |= {"teacher": flat(teacher), "distill": {"Alpha": 0.6, "Temperature": 2, "Hard": True}}
case("huber", REGRESS, numbers, lambda x: 0.4 * F.huber_loss(x, numbers, delta=0.7) + 0.6 * F.huber_loss(x, teacher, delta=0.7), Delta=0.7)
cases[-1] |= {"teacher": flat(teacher), "distill": {"Alpha": 0.6, "Temperature": 1}}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "objective.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
