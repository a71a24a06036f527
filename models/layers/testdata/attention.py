#!/usr/bin/env python3
"""Writes attention.json: attention layers of timm 1.0.31 under PyTorch 2.15, on maps that are not square, of one
image, and of an odd number of channels."""
from timm.layers import SEModule

import golden

golden.write("attention.json", [
    ("se", SEModule(32), (2, 32, 5, 7)),
    ("se:reduction=4,divisor=1 odd", SEModule(13, rd_ratio=1 / 4, rd_divisor=1), (1, 13, 3, 4)),
])
