#!/usr/bin/env python3
"""Writes repeats.json: which places of a shuffled order timm's RepeatAugSampler takes.

With several processes the batches of all follow each other, the first of each, then the second of each.

Made with timm 1.0.31. Run it in this folder:  python3 make_repeats.py
"""
import json

from timm.data.distributed_sampler import RepeatAugSampler

cases = []
for n, repeats, processes, batch in [(256, 2, 1, 64), (300, 3, 1, 64), (511, 5, 1, 64), (513, 3, 1, 64), (768, 3, 1, 64), (1000, 4, 1, 64),
                                     (513, 3, 2, 64), (800, 3, 3, 32), (600, 2, 4, 16), (600, 3, 2, 8)]:
    ranks = [list(RepeatAugSampler(range(n), num_replicas=processes, rank=r, shuffle=False, num_repeats=repeats)) for r in range(processes)]
    order = []
    for at in range(0, len(ranks[0]), batch):
        for rank in ranks:
            order += rank[at:at + batch]
    cases.append({"n": n, "repeats": repeats, "spread": processes, "batch": batch, "order": order})
with open("repeats.json", "w") as f:
    json.dump(cases, f, separators=(",", ":"))
    f.write("\n")
