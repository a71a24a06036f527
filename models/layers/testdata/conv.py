#!/usr/bin/env python3
"""Writes conv.json: convolutions of PyTorch 2.15 and torchvision 0.29, on maps that are not square, of one image, and of
odd numbers of channels."""
from collections import OrderedDict

import torch
import torch.nn as nn
from timm.layers import BlurPool2d, Conv2dSame, MixedConv2d
from torchvision.ops import deform_conv2d

import golden


class Deformable(nn.Conv2d):
    def __init__(self, *args, offset_groups=1, modulated=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.places = offset_groups * self.kernel_size[0] * self.kernel_size[1]
        self.conv_offset = nn.Conv2d(self.in_channels, (3 if modulated else 2) * self.places, self.kernel_size, self.stride, self.padding, self.dilation)
        self.modulated = modulated

    def forward(self, x):
        o = self.conv_offset(x)
        offset, mask = o[:, :2 * self.places], torch.sigmoid(o[:, 2 * self.places:]) if self.modulated else None
        return deform_conv2d(x, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask)


ODD, ONE, TWO = (2, 13, 5, 3), (1, 32, 3, 4), (2, 12, 5, 7)

if __name__ == "__main__":
    golden.write("conv.json", [
        ("standard", nn.Conv2d(13, 7, 3, 2, 1), ODD),
        ("standard:groups=4", nn.Conv2d(12, 8, 3, 2, 1, groups=4), TWO),
        ("standard:dilation=2", nn.Conv2d(12, 8, 3, 1, 2, dilation=2), TWO),
        ("grouped:groups=2", nn.Conv2d(12, 8, 3, 2, 1, groups=2), TWO),
        ("dilated", nn.Conv2d(13, 7, 3, 2, 2, dilation=2), ODD),
        ("dilated:dilation=3", nn.Conv2d(12, 7, 3, 2, 3, dilation=3), TWO),
        ("same", Conv2dSame(13, 7, 3, 2), ODD),
        ("same even", Conv2dSame(12, 7, 3, 2), (2, 12, 6, 8)),
        ("separable", nn.Sequential(OrderedDict(conv_dw=nn.Conv2d(13, 13, 3, 2, 1, groups=13, bias=False), conv_pw=nn.Conv2d(13, 7, 1))), ODD),
        ("mixed", MixedConv2d(13, 7, [3, 5], stride=2, padding="", bias=True), ODD),
        ("mixed:sizes=3", MixedConv2d(13, 7, [3, 5, 7], stride=2, padding="", bias=True), ODD),
        ("transposed", nn.ConvTranspose2d(13, 7, 3, 2, 1, output_padding=1), ODD),
        ("transposed-groups", nn.ConvTranspose2d(12, 8, 3, 2, 2, groups=4, dilation=2, bias=False), TWO),
        ("shuffle", nn.PixelShuffle(2), TWO),
        ("unshuffle", nn.PixelUnshuffle(2), (2, 5, 6, 4)),
        ("blur", BlurPool2d(13), ODD),
        ("blur-5", BlurPool2d(12, filt_size=5, stride=2), TWO),
        ("dcn", Deformable(13, 7, 3, 2, 1), ODD),
        ("dcn:offset_groups=4", Deformable(32, 7, 3, 2, 1, offset_groups=4), ONE),
        ("dcnv2", Deformable(13, 7, 3, 2, 1, modulated=True), ODD),
        ("dcnv2:offset_groups=2,groups=4", Deformable(12, 8, 3, 2, 1, groups=4, offset_groups=2, modulated=True), TWO),
        ("dcnv2:dilation=2", Deformable(12, 8, 3, 1, 2, dilation=2, modulated=True), TWO),
    ])
