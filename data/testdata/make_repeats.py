#!/usr/bin/env python3
"""Writes repeats.json: which places of a shuffled order timm's RepeatAugSampler takes with one process.

Made with timm 1.0.31. Run it in this folder:  python3 make_repeats.py
"""
import json

from timm.data.distributed_sampler import RepeatAugSampler

cases = []
for n, repeats in [(256, 2), (300, 3), (511, 5), (513, 3), (768, 3), (1000, 4)]:
    sampler = RepeatAugSampler(range(n), num_replicas=1, rank=0, shuffle=False, num_repeats=repeats)
    cases.append({"n": n, "repeats": repeats, "order": list(sampler)})
with open("repeats.json", "w") as f:
    json.dump(cases, f, separators=(",", ":"))
    f.write("\n")
