"""Writes depths.json: the depth that timm gives each parameter for layer-wise decay of
the learning rate, and which of its groups it is in: the factor of the learning rate, for
a decay of 0.75, and whether there is weight decay. Needs timm.

    python depths.py
"""
import json
import os

import timm
from timm.models import group_parameters
from timm.optim import param_groups_layer_decay

names = ["vit_tiny_patch16_224", "resnet18", "resnet50d", "convnext_atto", "swin_tiny_patch4_window7_224", "efficientnet_b0", "regnety_008", "resnetv2_50"]
depths = {}
for name in names:
    model = timm.create_model(name)
    depth = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
    without = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    of = {}
    for g in param_groups_layer_decay(model, no_weight_decay_list=without, layer_decay=0.75):
        for p in g["params"]:
            of[p] = (float(f"{g['lr_scale']:.6g}"), int(g["weight_decay"] > 0))
    depths[name] = {n: (depth[n], *of[p]) for n, p in model.named_parameters()}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "depths.json"), "w") as f:
    json.dump(depths, f, separators=(",", ":"))
    f.write("\n")
