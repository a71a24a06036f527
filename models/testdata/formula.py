"""Numbers that Go and Python make alike, so that golden files need to hold only results.

Element i of the series of a name is splitmix64(fnv1a64(name) + i), of which the upper 24
bits make a number in [-1, 1) that float32 holds exactly. golden_test.go has the same in Go.
"""
import math

import numpy as np

SIGNS = 16  # projections that a summary holds


def fnv1a(name):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def bits(name, n):
    """n uniform words of 64 bits."""
    with np.errstate(over="ignore"):
        x = np.uint64(fnv1a(name)) + np.arange(n, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return x ^ x >> np.uint64(31)


def uniform(name, n):
    """n numbers in [-1, 1)."""
    return (bits(name, n) >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1


def parameter(name, shape):
    """The value of a model's parameter: weights after He, uniform; norms and biases off their usual start."""
    n = math.prod(shape)
    u = uniform(name, n)
    kind = name.rsplit(".", 1)[-1]
    if kind == "num_batches_tracked":
        return np.zeros(shape)
    if kind == "weight" and len(shape) > 1:
        v = math.sqrt(6 / math.prod(shape[1:])) * u
    elif kind == "weight":
        v = 1 + 0.2 * u
    elif kind == "running_var":
        v = 1 + 0.5 * u
    else:
        v = 0.1 * u
    return v.astype(np.float32).reshape(shape)


def start(name, shape):
    """A parameter's value to train from: norms and biases at their usual start, a classifier that hardly prefers a class."""
    kind = name.rsplit(".", 1)[-1]
    if len(shape) > 1:
        return parameter(name, shape) * np.float32(1 if len(shape) == 4 else 0.125)
    return np.full(shape, 1.0 if kind in ("weight", "running_var") else 0.0, dtype=np.float32)


def images(name, shape):
    """Images (N, C, H, W) of mean 0 and variance 1."""
    return (math.sqrt(3) * uniform(name, math.prod(shape))).astype(np.float32).reshape(shape)


def patterned(name, shape, labels):
    """Images of which half is noise and half a pattern that each class has of its own."""
    pattern = np.stack([uniform(f"pattern {k}", math.prod(shape[1:])).reshape(shape[1:]) for k in labels])
    return (math.sqrt(1.5) * (uniform(name, math.prod(shape)).reshape(shape) + pattern)).astype(np.float32)


def labels(name, n, classes):
    return (bits(name, n) % np.uint64(classes)).astype(np.int64)


def summary(name, value):
    """Few numbers that tell two tensors apart: the 2-norm, the first values, and projections on SIGNS
    vectors of +-1. The mean square of the projections of a difference estimates its squared norm."""
    v = np.asarray(value, dtype=np.float64).reshape(-1)
    words = bits("signs of " + name, v.size)
    one = np.uint64(1)
    signs = [float(np.where(words >> np.uint64(k) & one, v, -v).sum()) for k in range(SIGNS)]
    return {"norm": float(np.sqrt((v * v).sum())), "head": v[:4].tolist(), "signs": signs}
