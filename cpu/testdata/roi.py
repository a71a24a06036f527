#!/usr/bin/env python3
"""Writes roi.json beside it: regions pooled by torchvision, and deformable pooling by a reference in autograd.

Made with PyTorch 2.15 and torchvision 0.29.2 in float64, seed 0. The cases have the form of golden.json's.
"""
import json
import os

import torch
from torchvision.ops import roi_align


def positions(start, size, samples):
    count = samples or int(torch.ceil(size))
    return start + (torch.arange(max(count, 0), dtype=size.dtype) + 0.5) * size / max(count, 1)


def interpolated(x, ys, xs):
    """x (C, H, W) at each of these rows and columns: (C, rows, columns)."""
    h, w = x.shape[1:]
    inside = ((ys >= -1) & (ys <= h))[:, None] & ((xs >= -1) & (xs <= w))
    ys, xs = ys.clamp(0, h - 1), xs.clamp(0, w - 1)
    top, left = ys.floor().long(), xs.floor().long()
    below, right = (top + 1).clamp(max=h - 1), (left + 1).clamp(max=w - 1)
    fy, fx = (ys - top)[:, None], xs - left
    upper = x[:, top][:, :, left] * (1 - fx) + x[:, top][:, :, right] * fx
    lower = x[:, below][:, :, left] * (1 - fx) + x[:, below][:, :, right] * fx
    return (upper * (1 - fy) + lower * fy) * inside


def deform_roi_pool(x, rois, offset, size, scale=1.0, samples=0, gamma=0.1):
    """As mmcv's kernel: x (N, C, H, W), rois (K, 5), offset (K, 2, PH, PW) or None. The gradients are autograd's; mmcv's
    kernel has others for the offsets of samples that are clamped to the border."""
    (ph, pw), c, out = size, x.shape[1], []
    for k, roi in enumerate(rois):
        left, top, right, bottom = roi[1:] * scale - 0.5
        wide, high = right - left, bottom - top
        for i in range(ph):
            for j in range(pw):
                dx, dy = (0, 0) if offset is None else (gamma * wide * offset[k, 0, i, j], gamma * high * offset[k, 1, i, j])
                ys = positions(top + dy + i * high / ph, high / ph, samples)
                xs = positions(left + dx + j * wide / pw, wide / pw, samples)
                out.append(interpolated(x[int(roi[0])], ys, xs).sum((1, 2)) / max(len(ys) * len(xs), 1))
    return torch.stack(out).reshape(len(rois), ph, pw, c).permute(0, 3, 1, 2)


def regions(scale=1.0):
    """(image, x1, y1, x2, y2) on maps of 5x7 pixels, in units of which a pixel has 1 / scale, as float32 has them: inside, partly outside, empty,
    around the map, turned round, smaller than a pixel, outside."""
    r = torch.tensor([[0, 0.3, 1.2, 4.1, 3.8], [1, -2.2, 0.7, 3.3, 5.9], [1, 3.4, 2.1, 9.7, 3.3], [0, 2.2, 1.1, 2.2, 3.4],
                      [0, -9.0, -8.0, 17.5, 13.3], [1, 5.1, 4.2, 2.3, 1.4], [1, 1.2, 2.4, 1.6, 2.7], [0, 11.0, 12.0, 14.0, 15.0]], dtype=torch.float64)
    r[:, 1:] /= scale
    return r.float().double()


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    cases = []

    def value(t):
        return {"shape": list(t.shape), "data": [float("%.12g" % v) for v in t.detach().reshape(-1).tolist()]}

    def nhwc(t):
        return t.detach().permute(0, 2, 3, 1)

    def case(attrs, x, rois, more, y):
        dy = torch.randn_like(y)
        y.backward(dy)
        inputs = [nhwc(x), rois] + more
        for kind, ins, outs in (("roi_align", inputs, [nhwc(y)]), ("roi_align_grad", inputs + [nhwc(dy)], [nhwc(x.grad)] + [t.grad for t in more])):
            cases.append({"op": kind, "attrs": attrs, "in": [value(t) for t in ins], "out": [value(t) for t in outs]})

    def leaf(*shape):
        return torch.randn(*shape, requires_grad=True)

    for aligned in (False, True):
        for samples, ph, pw, scale in ((0, 2, 3, 1.0), (2, 3, 2, 0.5)):
            x, rois = leaf(2, 2, 5, 7), regions(scale)
            y = roi_align(x, rois, (ph, pw), scale, samples, aligned)
            if aligned:  # what the reference has in common with torchvision is right
                assert (y - deform_roi_pool(x, rois, None, (ph, pw), scale, samples)).abs().max() < 1e-12
            case({"PooledH": ph, "PooledW": pw, "Scale": scale, "Samples": samples, "Aligned": aligned}, x, rois, [], y)
    for samples in (0, 2):
        for gamma, masked in ((0.1, False), (0.7, True)):
            x, rois, offset, mask = leaf(2, 2, 5, 7), regions(), leaf(8, 2, 2, 3), torch.rand(8, 2, 3).requires_grad_()
            y = deform_roi_pool(x, rois, offset, (2, 3), 1.0, samples, gamma)
            attrs = {"PooledH": 2, "PooledW": 3, "Scale": 1, "Samples": samples, "Aligned": True, "Offsets": True, "Mask": masked, "Gamma": gamma}
            case(attrs, x, rois, [offset, mask] if masked else [offset], y * mask[:, None] if masked else y)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "roi.json")
    with open(path, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(len(cases), "cases,", os.path.getsize(path), "bytes")
