#!/usr/bin/env python3
"""Writes golden.json: tables of positions resized by timm 1.0.31, of numbers made by formula."""
import json
import os
import sys

import numpy as np
import torch
from timm.layers import resample_abs_pos_embed, resize_rel_pos_bias_table

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "testdata"))
import formula


def table(rows, columns):
    return torch.from_numpy(formula.uniform("table", rows * columns).astype(np.float32).reshape(rows, columns))


def numbers(t):
    return [round(float(v), 7) for v in t.flatten()]


out = {"positions": [], "relative": []}
for old, new, prefix in ((4, 7, 1), (7, 4, 1), (4, 9, 0), (9, 2, 0), (5, 5, 1), (1, 3, 1), (3, 1, 0), (4, 7, 2), (1, 2, 2)):
    t = resample_abs_pos_embed(table(old * old + prefix, 2)[None], [new, new], num_prefix_tokens=prefix)
    out["positions"].append({"from": old * old + prefix, "to": new * new + prefix, "columns": 2, "want": numbers(t)})
for old, new in ((3, 5), (5, 3), (7, 4), (2, 3), (4, 4), (1, 2), (3, 1)):
    rows, to = (2 * old - 1) ** 2, (2 * new - 1) ** 2
    t = resize_rel_pos_bias_table(table(rows, 3), (new, new), (to, 3))
    out["relative"].append({"from": rows, "to": to, "columns": 3, "want": numbers(t)})
with open(os.path.join(HERE, "golden.json"), "w") as f:
    f.write("{\n" + ",\n".join(json.dumps(k) + ": [\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in v) + "\n]" for k, v in out.items()) + "\n}\n")
