#!/usr/bin/env python3
"""Writes squeezenet1_1.json: torchvision's logits of SqueezeNet 1.1 with the published weights.

usage: TRAINER_DATA=DIR make_squeezenet.py      (needs torch, torchvision, Pillow, numpy)

For some JPEGs of hymenoptera/val through torchvision's own resize, crop and normalisation, and
for one tensor made by a formula that the Go test repeats.
"""
import json, os, struct

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

data = os.environ["TRAINER_DATA"]


def safetensors(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    kinds = {"F16": np.float16, "F32": np.float32}
    for name, t in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            a, b = t["data_offsets"]
            v = np.frombuffer(raw[8 + n + a:8 + n + b], kinds[t["dtype"]]).reshape(t["shape"])
            yield name, torch.from_numpy(v.astype(np.float32))


model = torchvision.models.squeezenet1_1().eval()
model.load_state_dict(dict(safetensors(f"{data}/weights-imagenet/squeezenet1_1.fp16.safetensors")))
prepare = Compose([Resize(256), CenterCrop(224), ToTensor(), Normalize([.485, .456, .406], [.229, .224, .225])])
images = {}
with torch.no_grad():
    for kind in ("ants", "bees"):
        folder = f"{data}/hymenoptera/val/{kind}"
        for name in sorted(os.listdir(folder))[:3]:
            x = prepare(Image.open(f"{folder}/{name}").convert("RGB"))[None]
            images[f"{kind}/{name}"] = [round(v, 6) for v in model(x)[0].tolist()]
    i = np.arange(3 * 64 * 64, dtype=np.float64)
    x = torch.from_numpy(np.sin(i * 0.37) * 2).float().reshape(1, 3, 64, 64)
    raw = [round(v, 6) for v in model(x)[0].tolist()]
json.dump({"torchvision": torchvision.__version__, "images": images, "raw": raw},
          open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "squeezenet1_1.json"), "w"), separators=(",", ":"))
