#!/usr/bin/env python3
"""Writes golden.json beside it: batches mixed by timm's Mixup, with the draws.

Made with timm 1.0.31 and PyTorch 2.15, seed 0. NumPy's draws are recorded, so that
each case says what share (and rectangle) every sample got. Images are (N, H, W, C);
targets are one-hot or dense and carry the label smoothing that is asked for.
"""
import json
import os

import numpy as np
import torch
from timm.data import mixup

np.random.seed(0)
torch.manual_seed(0)
N, C, H, W, K = 4, 2, 7, 5, 3

boxes = []
plain = mixup.cutmix_bbox_and_lam
centres = []


def recorded(shape, lam, ratio_minmax=None, correct_lam=True, count=None):
    drawn = []
    randint = np.random.randint

    def spy(lo, hi, size=None):
        drawn.append(int(randint(lo, hi, size=size)))
        return drawn[-1]

    np.random.randint = spy
    box, new = plain(shape, lam, ratio_minmax, correct_lam, count)
    np.random.randint = randint
    boxes.append([int(v) for v in box])
    centres.append({"own": float(lam), "y": drawn[0], "x": drawn[1]} if ratio_minmax is None else None)
    return box, new


mixup.cutmix_bbox_and_lam = recorded


def rounded(t):
    return [float("%.8g" % v) for v in t.reshape(-1).tolist()]


def case(mode, multi, smoothing, **options):
    m = mixup.Mixup(mode=mode, label_smoothing=smoothing, num_classes=K, multi_label=multi, **options)
    x = torch.randn(N, C, H, W)
    target = (torch.rand(N, K) < 0.5).float() if multi else torch.randint(0, K, (N,))
    taken = {}
    for name in ("_params_per_batch", "_params_per_elem"):
        f = getattr(m, name)

        def spy(*a, f=f):
            lam, cut = f(*a)
            taken["lam"], taken["cut"] = np.atleast_1d(lam).astype(float).tolist(), np.atleast_1d(cut).tolist()
            return lam, cut

        setattr(m, name, spy)
    boxes.clear()
    centres.clear()
    images = x.permute(0, 2, 3, 1).contiguous()
    mixed, out = m(x.clone(), target)
    shares, left = [], list(boxes)
    for lam, cut in zip(taken["lam"], taken["cut"]):
        s = {"Own": lam}
        if cut and lam != 1:
            top, bottom, l, r = left.pop(0)
            s = {"Own": 1 - (bottom - top) * (r - l) / (H * W), "Cut": True, "Box": {"Top": top, "Bottom": bottom, "Left": l, "Right": r}}
        shares.append(s)
    if mode == "batch":
        shares = shares * N
    if mode == "pair":
        shares = shares + shares[::-1]
    dense = target if multi else torch.nn.functional.one_hot(target, K)
    return {"mode": mode, "multi": multi, "smoothing": smoothing, "height": H, "width": W, "channels": C, "outputs": K, "shares": shares,
            "centres": [dict(c, box=b) for c, b in zip(centres, boxes) if c],
            "images": rounded(images), "targets": rounded(dense.float()), "mixed": rounded(mixed.permute(0, 2, 3, 1).contiguous()), "mixedTargets": rounded(out)}


cases = []
kinds = [(False, 0.0), (False, 0.1), (True, 0.1)]
for mode in ("batch", "pair", "elem"):
    for options in ({"mixup_alpha": 0.8}, {"mixup_alpha": 0, "cutmix_alpha": 1.0}, {"mixup_alpha": 0, "cutmix_minmax": (0.2, 0.9)},
                    {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "prob": 0.7}):
        cases.append(case(mode, *kinds[len(cases) % 3], **options))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
