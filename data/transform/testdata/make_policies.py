#!/usr/bin/env python3
"""Writes policies.json: what the operations of automatic augmentation are and take, over many pictures.

Made with timm 1.0.31 and torchvision 0.29.2. Seed 22. Run it in this folder:  python3 make_policies.py

For each policy: "pictures", how many were augmented, and for each operation "count", how often it was done, and "mean",
"deviation", "least" and "most" of its argument, and "size" and "size_deviation" of its absolute value (without one, all are 0).
For erasing: the share of the picture that is erased, and how often anything is.
"""
import json
import random

import numpy as np
from PIL import Image
import timm.data.auto_augment as timm_auto
from timm.data.random_erasing import RandomErasing
import torch
import torchvision.transforms as T
import torchvision.transforms.autoaugment as torchvision_auto

random.seed(22)
np.random.seed(22)
torch.manual_seed(22)

N = 20000
SIZE = 64
image = Image.new("RGB", (2, 2))
PARAMS = dict(translate_const=int(SIZE * 0.45), img_mean=(124, 116, 104))


def summary(records):
    ops = {}
    for name, value in records:
        ops.setdefault(name, []).append(value)
    return {name: moments(v) for name, v in sorted(ops.items())}


def moments(v):
    size = np.abs(v)
    numbers = {"mean": np.mean(v), "deviation": np.std(v), "size": np.mean(size), "size_deviation": np.std(size), "least": min(v), "most": max(v)}
    return {"count": len(v), **{k: round(float(x), 6) for k, x in numbers.items()}}


def timm_policy(spec):
    params = dict(PARAMS)
    if spec.startswith("rand"):
        policy = timm_auto.rand_augment_transform(spec, params)
        steps = policy.ops
    elif spec.startswith("augmix"):
        params["translate_pct"] = 0.3
        policy = timm_auto.augment_and_mix_transform(spec, params)
        steps = policy.ops
    else:
        policy = timm_auto.auto_augment_transform(spec, params)
        steps = [s for p in policy.policy for s in p]
    records = []
    for step in steps:
        def record(img, *args, name=step.name, **kwargs):
            records.append((name, float(args[0]) if args else 0.0))
            return img
        step.aug_fn = record
    for _ in range(N):
        policy(image)
    return {"pictures": N, "operations": summary(records)}


def trivial():
    records = []

    def record(img, name, magnitude, **kwargs):
        around = 1 if name in ("Brightness", "Color", "Contrast", "Sharpness") else 0
        if name.startswith("Translate"):
            magnitude = int(magnitude)
        records.append((name, float(magnitude) + around))
        return img
    torchvision_auto._apply_op = record
    policy = T.TrivialAugmentWide()
    for _ in range(N):
        policy(image)
    return {"pictures": N, "operations": summary(records)}


def erasing(count):
    erase = RandomErasing(probability=0.7, mode="const", max_count=count, device="cpu")
    shares = []
    for _ in range(N):
        x = erase(torch.ones(1, 24, 40))
        shares.append(1 - float(x.mean()))
    some = [s for s in shares if s > 0]
    return {"pictures": N, "operations": {"Erase": moments(some)}}


specs = ["rand-m7-mstd0.5-inc1", "rand-m9-n3-mstd0.5-p0.7", "rand-m12-mmax20-mstd2-inc1", "rand-m12", "rand-m9-mstd101-inc1", "rand-n3-tweights-inc1-mstd0.5",
         "rand-m9-n2-t3aw-p0.9", "rand-m6-t3a-n1", "original", "original-mstd0.5", "originalr", "v0-mstd0.5", "v0r", "3a-mstd0.5", "augmix-m3",
         "augmix-m5-w4-d2-mstd0.4", "augmix-m3-w3-b1"]
result = {spec: timm_policy(spec) for spec in specs}
result["trivial"] = trivial()
result["erase1"] = erasing(1)
result["erase3"] = erasing(3)
with open("policies.json", "w") as f:
    f.write("{\n" + ",\n".join(f'"{k}": ' + json.dumps(v) for k, v in result.items()) + "\n}\n")
