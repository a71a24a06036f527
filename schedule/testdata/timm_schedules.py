"""Writes timm_schedules.json: learning rates of timm.scheduler, and of PyTorch's schedules that
torch_schedules.py has not, for schedule_test.go.

Run in this folder with timm 1.0.31 and PyTorch: python3 timm_schedules.py
timm adds cycles, cool-down and a warm-up prefix to the epochs it is told; here epochs is the whole run.
No random numbers are drawn but those of the noise, of which only the place is compared.
"""

import json
import warnings

import timm
import torch
from timm.scheduler import (CosineLRScheduler, PlateauLRScheduler, PolyLRScheduler, StepLRScheduler,
                            MultiStepLRScheduler, TanhLRScheduler)
from torch.optim import lr_scheduler

warnings.simplefilter("ignore")
BASE = 0.4


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)


def rate(o):
    return o.param_groups[0]["lr"]


def timm_run(kind, epochs, updates, per, **options):
    """The rate of every update; options count in steps, which are epochs or updates."""
    o = optimizer()
    s = kind(o, t_in_epochs=per == "epoch", **options)
    s.step(0)
    s.step_update(0)
    rates = []
    for epoch in range(epochs):
        for u in range(updates):
            rates.append(rate(o))
            s.step_update(epoch * updates + u + 1)
        s.step(epoch + 1)
    return rates


def plateau(metrics, **options):
    """The rate of every epoch, each of which ends with a metric."""
    o = optimizer()
    s = PlateauLRScheduler(o, **options)
    rates = []
    for epoch, metric in enumerate(metrics):
        rates.append(rate(o))
        s.step(epoch + 1, metric)
    return rates


def reduce(metrics, **options):
    o = optimizer()
    s = lr_scheduler.ReduceLROnPlateau(o, **options)
    rates = []
    for metric in metrics:
        rates.append(rate(o))
        s.step(metric)
    return rates


def torch_run(make, steps):
    o = optimizer()
    s = make(o)
    rates = []
    for _ in range(steps):
        rates.append(rate(o))
        o.step()
        s.step()
    return rates


cases = []


def both(name, kind, epochs, updates, first, keys, options, **steps):
    """A schedule per epoch and per update; steps are options that count in epochs."""
    for per, scale in (("epoch", 1), ("update", updates)):
        counted = {key: value * scale for key, value in steps.items()}
        cases.append({"schedule": {"name": name, "per": per, **keys}, "epochs": epochs, "updates_per_epoch": updates,
                      "lr": timm_run(kind, epochs, updates, per, **({"t_initial": first * scale} if first else {}), **counted, **options)})


WARM = {"warmup_lr": 0.002}
both("cosine", CosineLRScheduler, 12, 3, 12, {"min_lr": 0.001, "warmup_epochs": 3, **WARM},
     {"lr_min": 0.001, "warmup_lr_init": 0.002}, warmup_t=3)
both("cosine", CosineLRScheduler, 12, 3, 9, {"min_lr": 0.001, "warmup_epochs": 3, "warmup_prefix": True, **WARM},
     {"lr_min": 0.001, "warmup_lr_init": 0.002, "warmup_prefix": True}, warmup_t=3)
both("cosine", CosineLRScheduler, 13, 3, 8, {"min_lr": 0.001, "warmup_epochs": 3, "warmup_prefix": True, "cooldown_epochs": 2, **WARM},
     {"lr_min": 0.001, "warmup_lr_init": 0.002, "warmup_prefix": True}, warmup_t=3)
both("cosine", CosineLRScheduler, 17, 4, 5, {"min_lr": 0.01, "cycle_limit": 3, "cycle_decay": 0.5, "cooldown_epochs": 2},
     {"lr_min": 0.01, "cycle_limit": 3, "cycle_decay": 0.5})
both("cosine", CosineLRScheduler, 21, 3, 3, {"cycle_limit": 3, "cycle_mul": 2, "cycle_decay": 0.7, "k_decay": 1.5},
     {"cycle_limit": 3, "cycle_mul": 2.0, "cycle_decay": 0.7, "k_decay": 1.5})
both("cosine", CosineLRScheduler, 14, 3, 4, {"cycle_limit": 2, "cycle_epochs": 4, "cycle_mul": 1.5, "min_lr": 0.02},
     {"cycle_limit": 2, "cycle_mul": 1.5, "lr_min": 0.02})
both("cosine", CosineLRScheduler, 10, 2, 10, {"k_decay": 2}, {"k_decay": 2.0})
both("poly", PolyLRScheduler, 10, 3, 10, {"power": 0.5, "min_lr": 0.003, "warmup_epochs": 2, **WARM},
     {"power": 0.5, "lr_min": 0.003, "warmup_lr_init": 0.002}, warmup_t=2)
both("poly", PolyLRScheduler, 12, 3, 6, {"power": 2, "k_decay": 0.5, "cycle_limit": 2, "cycle_decay": 0.3},
     {"power": 2.0, "k_decay": 0.5, "cycle_limit": 2, "cycle_decay": 0.3})
both("tanh", TanhLRScheduler, 10, 3, 10, {"min_lr": 0.003, "warmup_epochs": 4, **WARM},
     {"lr_min": 0.003, "warmup_lr_init": 0.002}, warmup_t=4)
both("tanh", TanhLRScheduler, 12, 3, 5, {"tanh_low": -4, "tanh_high": 2, "warmup_epochs": 2, "warmup_prefix": True, "cycle_limit": 2, **WARM},
     {"lb": -4.0, "ub": 2.0, "warmup_lr_init": 0.002, "warmup_prefix": True, "cycle_limit": 2}, warmup_t=2)
# RA2, the recipe of RSB's B: a drop by 3 % every 2.4 epochs.
both("step", StepLRScheduler, 20, 5, None, {"step_epochs": 2.4, "gamma": 0.97, "warmup_epochs": 3, **WARM},
     {"decay_rate": 0.97, "warmup_lr_init": 0.002, "warmup_prefix": False}, decay_t=2.4, warmup_t=3)
both("step", StepLRScheduler, 12, 3, None, {"step_epochs": 2, "gamma": 0.5, "warmup_epochs": 3, "warmup_prefix": True, **WARM},
     {"decay_rate": 0.5, "warmup_lr_init": 0.002, "warmup_prefix": True}, decay_t=2, warmup_t=3)
both("constant", StepLRScheduler, 5, 2, None, {"warmup_epochs": 2, **WARM},
     {"decay_rate": 1.0, "warmup_lr_init": 0.002, "warmup_prefix": False}, decay_t=1, warmup_t=2)
# timm's multistep drops one step before the milestone, which PyTorch's and ours do not.
cases.append({"schedule": {"name": "multistep", "milestones": [3, 5, 8], "gamma": 0.3, "warmup_epochs": 2, "per": "epoch", **WARM},
              "epochs": 10, "updates_per_epoch": 1,
              "lr": timm_run(MultiStepLRScheduler, 10, 1, "epoch", decay_t=[4, 6, 9], decay_rate=0.3, warmup_t=2,
                             warmup_lr_init=0.002, warmup_prefix=False)})
cases.append({"schedule": {"name": "exponential", "step_epochs": 1, "gamma": 0.8, "per": "epoch"}, "epochs": 9, "updates_per_epoch": 1,
              "lr": torch_run(lambda o: lr_scheduler.ExponentialLR(o, 0.8), 9)})
cases.append({"schedule": {"name": "exponential", "step_epochs": 2, "gamma": 0.8 ** 6, "per": "update"}, "epochs": 4, "updates_per_epoch": 3,
              "lr": torch_run(lambda o: lr_scheduler.ExponentialLR(o, 0.8), 12)})
cases.append({"schedule": {"name": "poly", "power": 1.5}, "epochs": 4, "updates_per_epoch": 3,
              "lr": torch_run(lambda o: lr_scheduler.PolynomialLR(o, 12, 1.5), 12)})
cases.append({"schedule": {"name": "cosine", "cycle_limit": 3, "cycle_mul": 2, "min_lr": 0.01}, "epochs": 7, "updates_per_epoch": 2,
              "lr": torch_run(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2, 0.01), 14)})

rising = [10, 20, 20, 20.001, 19, 18, 21, 20, 20, 20, 20, 20, 25, 25, 25, 25, 25, 25, 25, 30, 30, 30, 30, 30, 30]
falling = [3, 2, 2, 1.999, 2.5, 2.1, 1.9, 2, 2, 2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.4999, 1.5, 1.5, 1.5, 1.5, 1.5]
plateaus = [
    ({"patience_epochs": 2, "gamma": 0.1, "min_lr": 0.0005}, rising, False,
     plateau(rising, patience_t=2, decay_rate=0.1, lr_min=0.0005)),
    ({"patience_epochs": 1, "gamma": 0.5, "plateau_cooldown": 2, "warmup_epochs": 4, **WARM}, rising, False,
     plateau(rising, patience_t=1, decay_rate=0.5, cooldown_t=2, warmup_t=4, warmup_lr_init=0.002)),
    ({"patience_epochs": 2, "gamma": 0.3, "threshold": 0.001, "plateau_cooldown": 1}, falling, True,
     reduce(falling, mode="min", factor=0.3, patience=2, threshold=0.001, cooldown=1)),
    ({"patience_epochs": 0, "gamma": 0.8, "threshold": 0}, falling, True,
     reduce(falling, mode="min", factor=0.8, patience=0, threshold=0)),
]
for keys, metrics, lower, rates in plateaus:
    cases.append({"schedule": {"name": "plateau", **keys}, "epochs": len(metrics), "updates_per_epoch": 1, "lr": rates,
                  "metrics": metrics, "lower": lower})

quiet = timm_run(CosineLRScheduler, 20, 3, "update", t_initial=60)
noisy = timm_run(CosineLRScheduler, 20, 3, "update", t_initial=60, noise_range_t=[0.4 * 60, 0.9 * 60], noise_pct=0.3, noise_std=0.2)
noise = {"schedule": {"name": "cosine", "noise": [0.4, 0.9], "noise_pct": 0.3, "noise_std": 0.2}, "epochs": 20, "updates_per_epoch": 3,
         "lr": quiet, "noisy": [a != b for a, b in zip(quiet, noisy)]}


def short(value):
    """Twelve digits are enough and keep the file small."""
    return [short(v) for v in value] if isinstance(value, list) else value if isinstance(value, bool) else float(f"{value:.12g}")


with open("timm_schedules.json", "w") as file:
    file.write(f'{{"timm": "{timm.__version__}", "torch": "{torch.__version__}", "base": {BASE}, "cases": [\n')
    file.write(",\n".join(json.dumps({key: short(value) if key == "lr" else value for key, value in case.items()})
                          for case in cases + [noise]))
    file.write("\n]}\n")
