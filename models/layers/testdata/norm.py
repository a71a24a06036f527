#!/usr/bin/env python3
"""Writes norm.json: normalisations of PyTorch 2.15 and timm 1.0.31, on maps that are not square, of one image, and of odd
numbers of channels."""
import torch.nn as nn
from timm.layers import LayerNorm2d

import golden

ODD, ONE, TWO = (2, 13, 5, 3), (1, 32, 3, 4), (2, 64, 5, 7)

if __name__ == "__main__":
    golden.write("norm.json", [
        ("batch", nn.BatchNorm2d(13), ODD),
        ("batch:eps=1e-3,momentum=0.01 one", nn.BatchNorm2d(32, eps=1e-3, momentum=0.01), ONE),
        ("layer", LayerNorm2d(13), ODD),
        ("layer:eps=1e-3 tokens", nn.LayerNorm(24, eps=1e-3), (2, 5, 24)),
        ("group", nn.GroupNorm(32, 64), TWO),
        ("group:groups=1,eps=1e-3 odd", nn.GroupNorm(1, 13, eps=1e-3), ODD),
        ("instance", nn.InstanceNorm2d(13, affine=True), ODD),
    ])
