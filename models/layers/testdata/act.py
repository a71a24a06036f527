#!/usr/bin/env python3
"""Writes act.json: activations of PyTorch 2.15 and timm 1.0.31, and those that neither has written out."""
import torch
import torch.nn as nn
from timm.layers import GELUTanh, HardMish, HardSigmoid, HardSwish, QuickGELU

import golden


class Swish(nn.Module):
    def __init__(self, beta=1.0, learned=0):
        super().__init__()
        self.beta = nn.Parameter(torch.ones(learned)) if learned else beta

    def forward(self, x):
        beta = self.beta[:, None, None] if torch.is_tensor(self.beta) else self.beta
        return x * torch.sigmoid(beta * x)


class Far(nn.Module):
    """Reaches the bends and the ends of an activation: the numbers of the script beside it lie in -1.8..1.8."""

    def __init__(self, act):
        super().__init__()
        self.act = act

    def forward(self, x):
        return self.act(4 * x)


ODD, ONE = (2, 13, 5, 3), (1, 32, 3, 4)

if __name__ == "__main__":
    plain = {
        "relu": nn.ReLU(), "relu6": nn.ReLU6(), "leaky_relu": nn.LeakyReLU(), "leaky_relu:alpha=0.2": nn.LeakyReLU(0.2),
        "elu": nn.ELU(), "elu:alpha=0.5": nn.ELU(0.5), "celu": nn.CELU(), "celu:alpha=0.075": nn.CELU(0.075), "selu": nn.SELU(),
        "gelu": nn.GELU(), "gelu_tanh": GELUTanh(), "quick_gelu": QuickGELU(), "silu": nn.SiLU(), "swish": Swish(),
        "swish:beta=1.5": Swish(1.5), "mish": nn.Mish(), "hard_sigmoid": HardSigmoid(), "hard_swish": HardSwish(),
        "hard_mish": HardMish(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "hard_tanh": nn.Hardtanh(),
        "softplus": nn.Softplus(threshold=100), "softplus:beta=2": nn.Softplus(2, threshold=100), "identity": nn.Identity(),
    }
    golden.write("act.json", [(name, Far(act), ODD) for name, act in plain.items()] + [
        ("prelu", Far(nn.PReLU(13)), ODD),
        ("prelu one", Far(nn.PReLU(32)), ONE),
        ("prelu:shared=true", Far(nn.PReLU()), ODD),
        ("swish:learned=true", Far(Swish(learned=13)), ODD),
        ("swish:learned=true,shared=true", Far(Swish(learned=1)), ODD),
        ("gelu tokens", Far(nn.GELU()), (2, 7, 24)),
    ])
