"""Writes momentum.json: PyTorch's SGD and Adam with a momentum that moves, for momentum_test.go.

Run in this folder with PyTorch: python3 momentum.py
"""

import json

import torch

GRADS = [0.5, -1.25, 2.0, 0.75, -0.3, 1.1]
MOMENTA = [0.95, 0.9, 0.85, 0.87, 0.91, 0.94]


def run(make, key):
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = make([weight])
    weights = []
    for grad, momentum in zip(GRADS, MOMENTA):
        weight.grad = torch.full((1,), grad, dtype=torch.float64)
        group = optimizer.param_groups[0]
        group[key] = momentum if key == "momentum" else (momentum, group[key][1])
        optimizer.step()
        weights.append(weight.item())
    return weights


with open("momentum.json", "w") as file:
    json.dump({
        "grads": GRADS, "momenta": MOMENTA,
        "sgd": run(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), "momentum"),
        "nesterov": run(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True), "momentum"),
        "adam": run(lambda p: torch.optim.Adam(p, 0.1), "betas"),
        "adamw": run(lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.2), "betas"),
    }, file, indent=1)
    file.write("\n")
