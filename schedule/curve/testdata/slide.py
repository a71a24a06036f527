"""Writes slide.json: curves of range tests, and what fastai's rule slide says of them, for slide_test.go.

Run in this folder with numpy: python3 slide.py
fastai is too large to be needed here: its lr_find leaves out the first tenth of the steps and the last five, and its
slide moves an interval of 15 steps from the right end to the left as long as the gradients at both ends differ by more
than 0.005 (fastai/callback/schedule.py). Both are written out below, with numpy's own gradient. Each sweep has
100 steps.
"""

import json

import numpy as np

STEPS = 100


def suggestion(rates, losses, interval=15, threshold=0.005):
    rates, losses = rates[STEPS // 10:-5], losses[STEPS // 10:-5]
    gradient = np.gradient(losses)
    right, left = len(losses) - 1, len(losses) - 1 - interval
    found = rates[left]
    while left >= 0 and abs(gradient[right] - gradient[left]) > threshold:
        found = rates[left]
        right, left = right - 1, left - 1
    return float(found)


def smoothed(losses, beta):
    """The debiased average of fastai's recorder, up to where it exceeds four times its best."""
    out, mean, best = [], 0.0, np.inf
    for i, loss in enumerate(losses):
        mean = beta * mean + (1 - beta) * loss
        out.append(mean / (1 - beta ** (i + 1)))
        best = min(best, out[-1])
        if out[-1] > 4 * best:
            break
    return np.array(out)


random = np.random.default_rng(4)
log = np.linspace(-7, 1, STEPS)
shapes = {
    "explosion": 0.3 + 2 / (1 + np.exp((log + 3) / 0.25)) + np.expm1(20 * np.maximum(0, log + 0.5)),
    "slow rise": 2.3 - 0.8 * np.clip((log + 3.5) / 2.5, 0, 1) + np.clip((log + 1) / 1.5, 0, 1),
    "parabola": 2 + 0.1 * (log + 2) ** 2,
    "steep parabola": 2 + 2 * (log + 2) ** 2,
    "level": np.full(STEPS, 2.3),
    "falling": 2.3 - 0.1 * (log + 7),
}
curves = []
for name, losses in shapes.items():
    for sigma, beta in ((0, 0), (0.02, 0.9), (0.1, 0.98)):
        values = smoothed(losses + sigma * random.standard_normal(STEPS), beta).round(6)
        rates = 10 ** log[:len(values)]
        curves.append({"name": f"{name}, noise {sigma}, smoothing {beta}", "losses": values.tolist(), "lr": suggestion(rates, values)})
with open("slide.json", "w") as f:
    json.dump({"rates": [float(f"{r:.9g}") for r in 10 ** log], "curves": curves}, f)
