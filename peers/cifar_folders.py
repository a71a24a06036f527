#!/usr/bin/env python3
"""Writes images of CIFAR-10's official binary batches as PNG files in class folders: the 10,000 of data_batch_1.bin as
train, the first 5,000 of data_batch_5.bin as val.

usage: cifar_folders.py BATCHES OUTPUT    (needs numpy and Pillow)
"""
import os
import sys

import numpy as np
from PIL import Image


def main(batches, output):
    names = open(os.path.join(batches, "batches.meta.txt")).read().split()
    for split, file, count in (("train", "data_batch_1.bin", 10000), ("val", "data_batch_5.bin", 5000)):
        rows = np.fromfile(os.path.join(batches, file), dtype=np.uint8).reshape(-1, 3073)[:count]
        for name in names:
            os.makedirs(os.path.join(output, split, name), exist_ok=True)
        for i, row in enumerate(rows):
            image = Image.fromarray(row[1:].reshape(3, 32, 32).transpose(1, 2, 0))
            image.save(os.path.join(output, split, names[row[0]], f"{i:05d}.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
