#!/usr/bin/env python3
"""Writes attention_tokens.json: attentions in which every position sees all others, under PyTorch 2.15: timm 1.0.31's
non-local block and self-attention, and others written out from their papers under the names of the authors' code."""
import torch
import torch.nn as nn
from timm.layers import Attention, NonLocalAttn

import golden


class MultiHead(Attention):
    def forward(self, x):
        return x + super().forward(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)


class Double(nn.Module):
    def __init__(self, c, reduction=4):
        super().__init__()
        h = max(1, int(c / reduction))
        self.convA, self.convB, self.convV = (nn.Conv2d(c, h, 1) for _ in range(3))
        self.conv_reconstruct = nn.Conv2d(h, c, 1)

    def forward(self, x):
        a, b, v = (conv(x).flatten(2) for conv in (self.convA, self.convB, self.convV))
        gathered = a @ b.softmax(2).transpose(1, 2)
        y = gathered @ v.softmax(1)
        return x + self.conv_reconstruct(y.unflatten(2, x.shape[2:]))


class External(nn.Module):
    def __init__(self, c, slots=64):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 1)
        self.linear_0, self.linear_1 = nn.Linear(c, slots, bias=False), nn.Linear(slots, c, bias=False)
        self.conv2 = nn.Sequential(nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c))

    def forward(self, x):
        a = self.linear_0(self.conv1(x).flatten(2).transpose(1, 2)).softmax(1)
        a = a / (1e-9 + a.sum(2, keepdim=True))
        return x + self.conv2(self.linear_1(a).transpose(1, 2).unflatten(2, x.shape[2:]))


ODD, ONE, TWO = (2, 13, 5, 3), (1, 32, 3, 4), (2, 32, 5, 7)

if __name__ == "__main__":
    golden.write("attention_tokens.json", [
        ("mhsa", MultiHead(32, 8), TWO),
        ("mhsa:heads=1 odd", MultiHead(13, 1), ODD),
        ("mhsa:heads=4 one", MultiHead(32, 4), ONE),
        ("nl", NonLocalAttn(32), TWO),
        ("nl:reduction=2,divisor=1,scale=false odd", NonLocalAttn(13, use_scale=False, rd_ratio=1 / 2, rd_divisor=1), ODD),
        ("nl one", NonLocalAttn(32), ONE),
        ("a2", Double(32), TWO),
        ("a2:reduction=2 odd", Double(13, 2), ODD),
        ("a2 one", Double(32), ONE),
        ("external", External(32), TWO),
        ("external:slots=5 odd", External(13, 5), ODD),
        ("external one", External(32), ONE),
    ])
