"""Writes torch_schedules.json: learning rates of torch.optim.lr_scheduler for schedule_test.go.

Run in this folder with PyTorch 1.13: python3 torch_schedules.py
No random numbers are drawn.
"""

import json

import torch
from torch.optim import lr_scheduler

BASE = 0.4


def run(make, steps, momentum=False):
    """The learning rate (and momentum) that each of the steps is taken with."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=BASE, momentum=0.9)
    scheduler = make(optimizer)
    rates, momenta = [], []
    for step in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()
    return {"lr": rates, **({"momentum": momenta} if momentum else {})}


def one_cycle(total, **options):
    return run(lambda o: lr_scheduler.OneCycleLR(o, max_lr=BASE, total_steps=total, **options), total,
               momentum=options.get("cycle_momentum", True))


# Each case: the keys of the schedule section, epochs, updates an epoch, and what PyTorch does.
cases = [
    ({"name": "step", "step_epochs": 3, "gamma": 0.3, "per": "epoch"}, 10, 1,
     run(lambda o: lr_scheduler.StepLR(o, 3, 0.3), 10)),
    ({"name": "multistep", "milestones": [2, 3, 7], "gamma": 0.2, "per": "epoch"}, 10, 1,
     run(lambda o: lr_scheduler.MultiStepLR(o, [2, 3, 7], 0.2), 10)),
    ({"name": "cosine", "min_lr": 0.01, "per": "update"}, 4, 5,
     run(lambda o: lr_scheduler.CosineAnnealingLR(o, 20, 0.01), 20)),
    ({"name": "one_cycle", "cycle_momentum": True}, 4, 25, one_cycle(100)),
    ({"name": "one_cycle", "anneal": "linear", "cycle_momentum": True}, 4, 25, one_cycle(100, anneal_strategy="linear")),
    ({"name": "one_cycle", "pct_start": 0.25, "div_factor": 10, "final_div_factor": 100, "cycle_momentum": True,
      "base_momentum": 0.8, "max_momentum": 0.9}, 1, 37,
     one_cycle(37, pct_start=0.25, div_factor=10, final_div_factor=100, base_momentum=0.8, max_momentum=0.9)),
    ({"name": "one_cycle", "per": "epoch"}, 7, 1, one_cycle(7, cycle_momentum=False)),
    ({"name": "one_cycle"}, 3, 1, one_cycle(3, cycle_momentum=False)),
    ({"name": "one_cycle", "pct_start": 0.9}, 1, 2, one_cycle(2, pct_start=0.9, cycle_momentum=False)),
    ({"name": "one_cycle"}, 1, 1, one_cycle(1, cycle_momentum=False)),
]

with open("torch_schedules.json", "w") as file:
    json.dump({"torch": torch.__version__, "base": BASE, "cases": [
        {"schedule": schedule, "epochs": epochs, "updates_per_epoch": updates, **result}
        for schedule, epochs, updates, result in cases]}, file, indent=1)
    file.write("\n")
