#!/usr/bin/env python3
"""Writes roi.json: regions of interest as torchvision 0.29.2 pools them, and deformable pooling with mmcv's layers around
the reference of cpu/testdata/roi.py, on maps that are not square, of several images, and of odd numbers of channels."""
import os
import sys

import torch
import torch.nn as nn
from torchvision.ops import roi_align

import golden

sys.path.insert(0, os.path.join(golden.HERE, "..", "..", "..", "cpu", "testdata"))
import roi


class Pool(nn.Module):
    def __init__(self, size, scale=1.0, samples=0, aligned=True):
        super().__init__()
        self.arguments = (size, scale, samples, aligned)
        self.rois = roi.regions(scale)

    def forward(self, x):
        return roi_align(x, self.rois, *self.arguments)


class DeformPool(nn.Module):
    def __init__(self, channels, size, hidden, modulated, scale=1.0, samples=0, gamma=0.1):
        super().__init__()
        self.size, self.rest, self.rois = size, (scale, samples, gamma), roi.regions(scale)
        bins = size[0] * size[1]
        self.offset_fc = nn.Sequential(nn.Linear(bins * channels, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2 * bins))
        if modulated:
            self.mask_fc = nn.Sequential(nn.Linear(bins * channels, hidden), nn.ReLU(), nn.Linear(hidden, bins), nn.Sigmoid())
        self.modulated = modulated

    def forward(self, x):
        plain = roi.deform_roi_pool(x, self.rois, None, self.size, *self.rest).flatten(1)
        offset = self.offset_fc(plain).reshape(-1, 2, *self.size)
        y = roi.deform_roi_pool(x, self.rois, offset, self.size, *self.rest)
        return y * self.mask_fc(plain).reshape(-1, 1, *self.size) if self.modulated else y


if __name__ == "__main__":
    shape = (2, 5, 5, 7)
    golden.write("roi.json", [
        ("align", Pool((2, 3)), shape),
        ("align-unaligned", Pool((3, 2), 0.5, 2, False), shape),
        ("deform", DeformPool(5, (2, 3), 8, False), shape),
        ("modulated", DeformPool(5, (3, 2), 6, True, 0.5, 2, 0.3), shape),
    ])
