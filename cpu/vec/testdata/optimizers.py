"""Writes optimizers.json: weights after four updates by PyTorch's optimizers.

Run it in this folder; PyTorch 1.13 made the file.
"""
import json

import torch

torch.manual_seed(0)
w0 = torch.randn(19)
grads = [torch.randn(19) for _ in range(4)]


def weights(make):
    w = torch.nn.Parameter(w0.clone())
    optimizer = make([w])
    for g in grads:
        w.grad = g.clone()
        optimizer.step()
    return w.tolist()


optim = torch.optim
json.dump({
    "start": w0.tolist(),
    "grads": [g.tolist() for g in grads],
    "sgd": weights(lambda p: optim.SGD(p, lr=.1, weight_decay=.01)),
    "momentum": weights(lambda p: optim.SGD(p, lr=.1, momentum=.9, dampening=.3, weight_decay=.01)),
    "nesterov": weights(lambda p: optim.SGD(p, lr=.1, momentum=.9, nesterov=True, weight_decay=.01)),
    "adam": weights(lambda p: optim.Adam(p, lr=.01, weight_decay=.1)),
    "adamw": weights(lambda p: optim.AdamW(p, lr=.01, weight_decay=.1)),
}, open("optimizers.json", "w"))
