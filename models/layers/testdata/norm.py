#!/usr/bin/env python3
"""Writes norm.json: normalisations of PyTorch 2.15 and timm 1.0.31, and batch-channel normalisation written out, on maps
that are not square, of one image, and of odd numbers of channels."""
import torch
import torch.nn as nn
from timm.layers import FilterResponseNormTlu2d, GlobalResponseNormMlp, LayerNorm2d, RmsNorm2d, ScaledStdConv2d, StdConv2d
from torchvision.ops import FrozenBatchNorm2d

import golden


class EstimatedNorm(nn.BatchNorm2d):
    speed = 0.3

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                m = x.mean((0, 2, 3))
                v = (x - self.running_mean[:, None, None]).pow(2).mean((0, 2, 3))
                self.running_mean += self.speed * (m - self.running_mean)
                self.running_var *= 1 - self.speed
                self.running_var += self.speed * v
        c = lambda t: t[:, None, None]
        return c(self.weight) * (x - c(self.running_mean.clone())) / (c(self.running_var.clone()) + self.eps).sqrt() + c(self.bias)


class BatchChannel(nn.Sequential):
    def __init__(self, c, groups, first=nn.BatchNorm2d):
        super().__init__()
        self.bn, self.gn = first(c), nn.GroupNorm(groups, c)


class OutsideStdConv(nn.Conv2d):
    def forward(self, x):
        w = self.weight
        d = w - w.mean((1, 2, 3), keepdim=True)
        return self._conv_forward(x, d / (d.pow(2).mean((1, 2, 3), keepdim=True).sqrt() + 1e-5), self.bias)


ODD, ONE, TWO = (2, 13, 5, 3), (1, 32, 3, 4), (2, 64, 5, 7)

if __name__ == "__main__":
    golden.write("norm.json", [
        ("batch", nn.BatchNorm2d(13), ODD),
        ("batch:eps=1e-3,momentum=0.01 one", nn.BatchNorm2d(32, eps=1e-3, momentum=0.01), ONE),
        ("frozen", FrozenBatchNorm2d(13), ODD),
        ("layer", LayerNorm2d(13), ODD),
        ("layer:eps=1e-3 tokens", nn.LayerNorm(24, eps=1e-3), (2, 5, 24)),
        ("rms", RmsNorm2d(13, eps=1e-6), ODD),
        ("group", nn.GroupNorm(32, 64), TWO),
        ("group:groups=1,eps=1e-3 odd", nn.GroupNorm(1, 13, eps=1e-3), ODD),
        ("instance", nn.InstanceNorm2d(13, affine=True), ODD),
        ("frn", FilterResponseNormTlu2d(13), ODD),
        ("bcn", BatchChannel(64, 32), TWO),
        ("bcn:groups=1 odd", BatchChannel(13, 1), ODD),
        ("bcn:groups=13,estimate=true,speed=0.3", BatchChannel(13, 13, EstimatedNorm), ODD),
    ])
    golden.write("conv_std.json", [
        ("std", StdConv2d(13, 7, 3, padding=1, stride=2, bias=True), ODD),
        ("std:outside=true,eps=1e-5", OutsideStdConv(13, 7, 3, padding=1, stride=2), ODD),
        ("scaled_std", ScaledStdConv2d(13, 7, 3, padding=1, stride=2), ODD),
    ])
