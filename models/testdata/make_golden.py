#!/usr/bin/env python3
"""Writes the golden files beside it: parameters.json, logits.json, gradients.json, init.json and
steps_*.json. Made with PyTorch 1.13 and torchvision 0.14 on a CPU, those of timm's
networks with timm 1.0.31 and PyTorch 2.15; nothing is random but init.json, whose seed is 0.

usage: make_golden.py [FILE...]    (default: all)
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import formula
from reference import MODELS, make

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v, separators=(",", ":")) for k, v in value.items()) + "\n}\n")


def fill(net, value=formula.parameter):
    with torch.no_grad():
        for name, t in net.state_dict().items():
            t.copy_(torch.from_numpy(np.asarray(value(name, tuple(t.shape)))))
    return net


def without_dropout(net):
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
    return net


def parameters(file):
    """Names and shapes in order, the number of trained values, and the work for one image."""
    out = {}
    for name, ((classes, chans, size), _) in sorted(MODELS.items()):
        net = make(name).eval()
        work = {"macs": 0, "activations": 0}

        def count(m, x, y):
            work["macs"] += y.numel() * m.weight[0].numel()
            work["activations"] += y.numel()

        for m in net.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                m.register_forward_hook(count)
        with torch.no_grad():
            net(torch.zeros(1, chans, size, size))
        out[name] = {"params": sum(p.numel() for p in net.parameters()), **work,
                     "tensors": [[k, list(v.shape)] for k, v in net.state_dict().items()]}
    write(file, out)


# Shapes of the inputs (N, C, H, W) that logits are compared on, with 7 classes.
INPUTS = {"lenet5": (2, 2, 20, 20), "mlp": (2, 2, 9, 9), "mlp_500_500_2000": (2, 2, 9, 9), "squeezenet1_0": (2, 3, 63, 70), "squeezenet1_1": (2, 3, 63, 70)}
CLASSES = 7


def logits(file):
    """Logits in float64 for weights and images made by formula."""
    out = {}
    for name in sorted(MODELS):
        shape = INPUTS.get(name, (2, 3, 16, 24) if name.startswith("cifar") else (2, 3, 33, 48))
        net = fill(make(name, CLASSES, shape[1], shape[2])).double().eval()
        with torch.no_grad():
            y = net(torch.from_numpy(formula.images("images", shape)).double())
        out[name] = {"input": shape, "classes": CLASSES, "logits": y.reshape(-1).tolist()}
    write(file, out)


def gradient_pass(name, shape, dtype):
    net = without_dropout(fill(make(name, CLASSES))).to(dtype).train()
    y = net(torch.from_numpy(formula.images("images", shape)).to(dtype))
    loss = F.cross_entropy(y, torch.from_numpy(formula.labels("labels", shape[0], CLASSES)))
    loss.backward()
    return net, y, loss, {k: p.grad for k, p in net.named_parameters()}


def gradients(file):
    """One pass of training in float64: loss, logits, gradients, and running statistics after it.

    Of the deepest networks, distance32 is how far PyTorch's own gradients in float32 lie from those, relative to
    the norm: where many layers clip, roundings turn paths on and off.
    """
    out = {}
    for name, shape in (("cifar_resnet20", (4, 3, 32, 32)), ("squeezenet1_1", (2, 3, 63, 70)), ("resnet18", (2, 3, 64, 64)),
                        ("mobilenetv2_100", (4, 3, 64, 64))):
        net, y, loss, grads = gradient_pass(name, shape, torch.float64)
        out[name] = {
            "input": shape, "classes": CLASSES, "loss": loss.item(), "logits": y.reshape(-1).tolist(),
            "gradients": {k: formula.summary(k, g) for k, g in grads.items()},
            "statistics": {k: formula.summary(k, b) for k, b in net.named_buffers() if "running" in k},
        }
        if name.startswith("mobilenet"):
            grads32, largest = gradient_pass(name, shape, torch.float32)[-1], max(g.norm() for g in grads.values())
            out[name]["distance32"] = max(((grads32[k] - g).norm() / g.norm()).item()
                                          for k, g in grads.items() if g.norm() > 1e-9 * largest)
    write(file, out)


def init(file):
    """Mean and standard deviation of each freshly initialised tensor."""
    torch.manual_seed(0)
    out = {}
    for name in ("cifar_resnet20", "lenet5", "resnet18", "resnet50", "squeezenet1_1", "mobilenetv2_100"):
        out[name] = {k: [v.double().mean().item(), v.double().std(unbiased=False).item()]
                     for k, v in make(name).state_dict().items() if "num_batches" not in k}
    write(file, out)


STEPS = 20
SGD = dict(momentum=0.9, weight_decay=5e-4)


def train(name, shape, classes, lr, dtype):
    net = fill(make(name, classes), formula.start).to(dtype).train()
    opt = torch.optim.SGD(net.parameters(), lr=lr, **SGD)
    losses = []
    for step in range(STEPS):
        labels = formula.labels(f"labels {step}", shape[0], classes)
        x = torch.from_numpy(formula.patterned(f"images {step}", shape, labels)).to(dtype)
        loss = F.cross_entropy(net(x), torch.from_numpy(labels))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses, {k: v.double().numpy() for k, v in net.state_dict().items() if "num_batches" not in k}


def steps(file, name, shape, lr, classes=10):
    """The first steps of training in float64 and, of those in float32, the distance from them.

    The learning rates are small enough for roundings to grow slowly: where training is chaotic, any two runs
    end equally far apart and the comparison says nothing.
    """
    losses, end = train(name, shape, classes, lr, torch.float64)
    losses32, end32 = train(name, shape, classes, lr, torch.float32)
    tensors = {k: formula.summary(k, v) for k, v in end.items()}
    signs32 = {k: formula.summary(k, v)["signs"] for k, v in end32.items()}
    write(file, {
        "model": name, "input": shape, "classes": classes, "lr": lr, **SGD,
        "losses": losses, "losses32": losses32,
        # For each tensor, the estimate of |end32 - end| from the projections, and the true one.
        "distance32": {k: [float(np.sqrt(np.mean((np.array(signs32[k]) - tensors[k]["signs"]) ** 2))),
                           float(np.linalg.norm(end32[k] - end[k]))] for k in end},
        "end": tensors,
    })


FILES = {
    "parameters.json": parameters,
    "logits.json": logits,
    "gradients.json": gradients,
    "init.json": init,
    "steps_cifar_resnet20.json": lambda f: steps(f, "cifar_resnet20", (16, 3, 32, 32), 0.01),
    "steps_resnet18.json": lambda f: steps(f, "resnet18", (8, 3, 64, 64), 0.001),
}

if __name__ == "__main__":
    torch.set_num_threads(2)
    for f in sys.argv[1:] or FILES:
        FILES[f](f)
        print(f, os.path.getsize(os.path.join(HERE, f)), "bytes")
