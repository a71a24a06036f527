#!/usr/bin/env python3
"""Writes golden.json beside it: contrastive divergence written out in numpy, and a masked autoencoder written out
around timm's vision transformer, both in float64. Made with timm 1.0.31, PyTorch 2.15 and numpy; nothing is random.

usage: make_golden.py
"""
import json
import math
import os
from functools import partial

import numpy as np
import torch
import torch.nn as nn
from timm.models.vision_transformer import Block, VisionTransformer

HERE = os.path.dirname(os.path.abspath(__file__))


def value(name, shape):
    """A parameter's value in the order of files."""
    n, phase = math.prod(shape), sum(name.encode()) % 97
    w = np.sin(0.7 * np.arange(n) + phase)
    if len(shape) == 1 and name.endswith("weight"):
        return (1 + 0.1 * w).reshape(shape)
    return (0.3 * w).reshape(shape)


def pixels(n, size, channels):
    """Images (N, H, W, C) in [0, 1]."""
    return 0.5 + 0.5 * np.sin(0.37 * np.arange(n * size * size * channels).reshape(n, size, size, channels) ** 1.1)


# The draws of the operation bernoulli: SplitMix64 of seed, stream, pass and element.


def scramble(x):
    mask = (1 << 64) - 1
    x = (x * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & mask
    return x ^ x >> 31


def bernoulli(p, seed, stream, draw):
    key = scramble(scramble(scramble(seed) + stream) + draw)
    draws = [scramble(key + i // 2) >> (i % 2 * 32) & 0xFFFFFFFF for i in range(p.size)]
    return (np.array(draws).reshape(p.shape) < p * 2**32).astype(float)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def rbm(n=4, size=3, hidden=5, updates=3, lr=0.5, momentum=0.9, decay=0.01):
    """CD-1 of a machine of 9 visible and 5 hidden units: weights after each of the updates."""
    v0 = pixels(n, size, 1).reshape(n, -1)
    w = value("fc1.weight", (hidden, size * size)).T.copy()
    c, b = value("fc1.bias", (hidden,)), value("visible1.bias", (size * size,))
    speed = [np.zeros_like(x) for x in (w, c, b)]
    out = {"lr": lr, "momentum": momentum, "decay": decay, "steps": []}
    for step in range(updates):
        h0 = logistic(v0 @ w + c)
        field = logistic(h0 @ w.T + b)
        v1 = logistic(bernoulli(h0, 7, 1, step + 1) @ w.T + b)
        h1 = logistic(v1 @ w + c)
        up = [(v0.T @ h0 - v1.T @ h1) / n - decay * w, (h0 - h1).mean(0), (v0 - v1).mean(0)]
        for x, s, u in zip((w, c, b), speed, up):
            s *= momentum
            s += u
            x += lr * s
        out["steps"].append({"error": ((v0 - field) ** 2).mean(), "weight": w.T.reshape(-1).tolist(), "hidden": c.tolist(), "visible": b.tolist()})
    return out


class MAE(nn.Module):
    def __init__(self, size, patch, chans, width, depth, heads, decoder_width, decoder_depth, decoder_heads):
        super().__init__()
        self.vit = VisionTransformer(img_size=size, patch_size=patch, in_chans=chans, embed_dim=width, depth=depth, num_heads=heads, num_classes=3)
        norm = partial(nn.LayerNorm, eps=1e-6)
        patches = (size // patch) ** 2
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_width))
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, 1 + patches, decoder_width))
        self.decoder_embed = nn.Linear(width, decoder_width)
        self.decoder_blocks = nn.ModuleList(Block(decoder_width, decoder_heads, qkv_bias=True, norm_layer=norm) for _ in range(decoder_depth))
        self.decoder_norm = norm(decoder_width)
        self.decoder_pred = nn.Linear(decoder_width, patch * patch * chans)
        self.patch = patch

    def patches(self, images):
        n, c, h, w = images.shape
        p = self.patch
        return images.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1).reshape(n, -1, p * p * c)

    def forward(self, images, visible, norm):
        v = self.vit
        n = images.shape[0]
        x = v.patch_embed(images) + v.pos_embed[:, 1:]
        x = torch.stack([x[i, visible[i]] for i in range(n)])
        x = torch.cat([(v.cls_token + v.pos_embed[:, :1]).expand(n, -1, -1), x], 1)
        x = self.decoder_embed(v.norm(v.blocks(x)))
        y = self.mask_token.repeat(n, self.decoder_pos_embed.shape[1], 1)
        for i in range(n):
            y[i, 0] = x[i, 0]
            for k, at in enumerate(visible[i]):
                y[i, 1 + at] = x[i, 1 + k]
        y = y + self.decoder_pos_embed
        for b in self.decoder_blocks:
            y = b(y)
        y = self.decoder_pred(self.decoder_norm(y))[:, 1:]
        target = self.patches(images)
        if norm:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = torch.ones(y.shape[:2], dtype=y.dtype)
        for i in range(n):
            hidden[i, visible[i]] = 0
        return (((y - target) ** 2).mean(-1) * hidden).sum() / hidden.sum()


def mae(norm):
    """Loss, and of each gradient its norm and its product with a sine."""
    net = MAE(16, 4, 3, 8, 2, 2, 24, 1, 3).double()
    names = {k.removeprefix("vit."): p for k, p in net.named_parameters()}
    with torch.no_grad():
        for k, p in names.items():
            p.copy_(torch.from_numpy(value(k, tuple(p.shape))))
    visible = [[0, 3, 5, 14], [1, 2, 9, 15], [4, 7, 8, 12]]
    loss = net(torch.from_numpy(pixels(3, 16, 3)).permute(0, 3, 1, 2), visible, norm)
    loss.backward()
    grads = {}
    for k, p in names.items():
        if p.grad is not None:
            g = p.grad.reshape(-1).numpy()
            grads[k] = [float(np.linalg.norm(g)), float(g @ np.sin(0.3 * np.arange(g.size) + 1))]
    return {"visible": visible, "loss": loss.item(), "gradients": grads}


with open(os.path.join(HERE, "golden.json"), "w") as f:
    golden = {"rbm": rbm(), "mae": mae(True), "mae pixels": mae(False)}
    f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v, separators=(",", ":")) for k, v in golden.items()) + "\n}\n")
