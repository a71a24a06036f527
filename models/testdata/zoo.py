#!/usr/bin/env python3
"""Writes zoo.json, zoo_gradients.json and zoo_init.json beside it: what timm 1.0.31, torchvision 0.29 and, for networks that neither
has, zoo_reference.py compute in float64 under PyTorch 2.15 with weights and images made by formula.

usage: zoo.py [--list NAME] [logits|gradients|init] [NAME...]    (default: all three, all names)

Entries of names that are not given stay as they are. --list prints a network's tensors, for finding a difference.
"""
import json
import os
import sys

import numpy as np
import timm
import timm.utils
import torch
import torch.nn.functional as F
import torchvision
from fvcore.nn import FlopCountAnalysis
from timm.layers import set_fused_attn

import formula
import zoo_reference
from make_golden import fill, without_dropout

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 7

TIMM = """
resnet18 resnet34 resnet50 resnet101 resnet152 resnet26d resnet50d resnet101d wide_resnet50_2 resnext50_32x4d
resnext101_32x8d seresnet18 seresnet50 ecaresnet26t ecaresnet50d ecaresnet50t ecaresnet101d skresnet18 skresnet50
gcresnet50t resnest14d resnest50d resnet50_gn resnetv2_50 resnetv2_50x1_bit vgg11_bn vgg16_bn densenet121
mobilenetv1_100 mobilenetv2_050 mobilenetv2_100 mobilenetv2_140 mobilenetv3_small_100 mobilenetv3_large_100
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_lite0
tf_efficientnet_lite0 tf_efficientnetv2_b0 regnetx_008 regnety_008 regnety_032 repvgg_a0 convnext_atto convnext_tiny convnext_base
convnextv2_atto vit_tiny_patch16_224 vit_small_patch16_224 vit_base_patch16_224 deit_tiny_patch16_224 deit_small_patch16_224 deit_tiny_distilled_patch16_224
deit_small_distilled_patch16_224 deit3_small_patch16_224
swin_tiny_patch4_window7_224 mixer_s32_224
""".split()

# Heights and widths other than 64x64: odd ones where any size is allowed, and those that a network is made for.
SIZES = {"vgg11_bn": (64, 96), "resnet50": (65, 90), "resnet26d": (70, 49), "efficientnet_b0": (65, 90), "convnext_atto": (96, 64),
         "tf_efficientnetv2_b0": (63, 90), "regnety_008": (65, 90), "densenet121": (70, 90), "mobilenetv3_small_100": (65, 90),
         "vit_tiny_patch16_224": (80, 80), "mixer_s32_224": (96, 96), "swin_tiny_patch4_window7_224": (224, 224)}
SIZED = ("vit_", "deit_", "deit3_", "mixer_", "swin_")  # networks whose parameters depend on the image's size

# Factors of the convolutions' weights. Networks of swish and squeeze-and-excitation otherwise let so little of the image
# through that the logits are all biases; in deep residual ones values grow until gates are open or shut.
GAINS = {"efficientnet_b4": 1.03, "efficientnet_b": 1.05, "resnet": 0.7, "resnext": 0.7, "wide_resnet": 0.7, "seresnet": 0.7, "ecaresnet": 0.85, "skresnet": 0.7,
         "gcresnet": 0.7, "resnest": 0.7, "cbam_resnet": 0.7, "bam_resnet": 0.7, "tf_efficientnet": 0.9, "regnet": 0.7, "repvgg": 0.7}

# Networks whose gradients are compared, one of a family.
GRADIENTS = ["ecaresnet26t", "resnest14d", "resnetv2_50", "densenet121", "mobilenetv3_small_100", "efficientnet_b0",
             "tf_efficientnetv2_b0", "regnety_008", "shufflenet_v2_x1_0", "repvgg_a0", "convnextv2_atto", "deit3_small_patch16_224",
             "swin_tiny_patch4_window7_224", "mixer_s32_224"]
GRADIENT_SIZES = {"swin_tiny_patch4_window7_224": (56, 56)}


# Networks whose first values are compared, one of each way of drawing them.
INITS = ["seresnet18", "skresnet18", "gcresnet50t", "resnest14d", "resnetv2_50", "densenet121", "mobilenetv1_100",
         "mobilenetv3_small_100", "efficientnet_b0", "tf_efficientnetv2_b0", "regnety_008", "shufflenet_v2_x1_0", "repvgg_a0", "convnext_atto",
         "convnextv2_atto", "vit_tiny_patch16_224", "deit_tiny_patch16_224", "deit3_small_patch16_224", "swin_tiny_patch4_window7_224", "mixer_s32_224"]


def names():
    return TIMM + ["shufflenet_v2_x1_0"] + list(zoo_reference.MODELS)


def make(name, classes=CLASSES, size=None):
    size = size or SIZES.get(name, (64, 64))
    if name in zoo_reference.MODELS:
        return zoo_reference.MODELS[name](classes)
    if name.startswith("shufflenet"):
        return getattr(torchvision.models, name)(num_classes=classes)
    options = {"img_size": size} if name.startswith(SIZED) else {}
    return timm.create_model(name, num_classes=classes, **options)


def digest(net):
    """A number for all names and shapes in order."""
    return f"{formula.fnv1a(''.join(f'{k} {list(v.shape)}' + chr(10) for k, v in net.state_dict().items())):016x}"


def macs(name):
    """Multiply-adds for one image of the default size, as fvcore 0.1.5 counts them."""
    set_fused_attn(False)
    if name in zoo_reference.MODELS or name.startswith("shufflenet"):
        net, size = make(name, 1000, (224, 224)), 32 if name.startswith("cifar") else 224
    else:
        net = timm.create_model(name)
        size = net.pretrained_cfg["input_size"][1]
    net = timm.utils.reparameterize_model(net.eval())
    count = FlopCountAnalysis(net, torch.zeros(1, 3, size, size))
    count.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(sum(v for k, v in count.by_operator().items() if k in ("conv", "linear", "addmm", "matmul", "bmm", "einsum")))


def logits(name):
    h, w = SIZES.get(name, zoo_reference.SIZES.get(name, (64, 64)))
    shape = (1 if max(h, w) > 96 else 2, 3, h, w)
    net = make(name)
    out = {"input": shape, "classes": CLASSES, "params": sum(p.numel() for p in net.parameters()), "tensors": len(net.state_dict()), "digest": digest(net), "macs": macs(name)}
    gain = next((g for start, g in GAINS.items() if name.startswith(start)), 1)
    with torch.no_grad():
        y = scale(fill(net), gain).double().eval()(torch.from_numpy(formula.images("images", shape)).double())
    return {**out, "gain": gain, "logits": y.reshape(-1).tolist()}


def scale(net, gain):
    """Multiplies the weights of convolutions."""
    with torch.no_grad():
        for t in net.state_dict().values():
            if t.dim() == 4:
                t.mul_(gain)
    return net


def short(name, value):
    """A summary in nine digits, which is enough to compare float32 with."""
    s = formula.summary(name, value)
    return {k: [float(f"{x:.9g}") for x in v] if isinstance(v, list) else float(f"{v:.9g}") for k, v in s.items()}


def gradient_pass(name, shape, dtype):
    net = without_dropout(fill(make(name, size=shape[2:]))).to(dtype).train()
    for m in net.modules():
        if isinstance(m, timm.layers.DropPath):
            m.drop_prob = 0.0
    y = net(torch.from_numpy(formula.images("images", shape)).to(dtype))
    loss = F.cross_entropy(y, torch.from_numpy(formula.labels("labels", shape[0], CLASSES)))
    loss.backward()
    return y, loss, {k: p.grad for k, p in net.named_parameters()}


def gradients(name):
    """One pass of training in float64. distance32 is how far PyTorch's own gradients in float32 lie from those."""
    h, w = GRADIENT_SIZES.get(name, SIZES.get(name, (64, 64)))
    shape = (4, 3, h, w)
    y, loss, grads = gradient_pass(name, shape, torch.float64)
    grads32, largest = gradient_pass(name, shape, torch.float32)[-1], max(g.norm() for g in grads.values())
    return {
        "input": shape, "classes": CLASSES, "loss": loss.item(), "logits": y.reshape(-1).tolist(),
        "distance32": max(((grads32[k] - g).norm() / g.norm()).item() for k, g in grads.items() if g.norm() > 1e-9 * largest),
        "gradients": {k: short(k, g) for k, g in grads.items()},
    }


def moments(v):
    """Mean and standard deviation in five digits, without what lies 20 deviations off: where the float32 that it is made
    of rounds to 1, timm's trunc_normal_ gives its bound, 2."""
    v = v.double()
    v = v[(v - v.mean()).abs() <= 20 * v.std(unbiased=False)]
    return [float(f"{x:.5g}") for x in (v.mean().item(), v.std(unbiased=False).item())]


def init(name):
    """The moments of each tensor as it is first drawn."""
    torch.manual_seed(0)
    net = timm.create_model(name) if name.startswith(SIZED) else make(name, 1000)
    return {k: moments(v) for k, v in net.state_dict().items() if v.is_floating_point()}


def write(file, make_entry, known, chosen):
    path = os.path.join(HERE, file)
    out = json.load(open(path)) if os.path.exists(path) else {}
    for name in known:
        if name in chosen or name not in out:
            out[name] = make_entry(name)
            print(file, name, flush=True)
    with open(path, "w") as f:
        f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(out[k], separators=(",", ":")) for k in known) + "\n}\n")
    print(file, os.path.getsize(path), "bytes")


if __name__ == "__main__":
    torch.set_num_threads(2)
    arguments = sys.argv[1:]
    if arguments[:1] == ["--list"]:
        for k, v in make(arguments[1]).state_dict().items():
            print(k, list(v.shape))
        sys.exit()
    files = {"logits", "gradients", "init"}
    which = files & set(arguments) or files
    chosen = set(arguments) - files
    if "logits" in which:
        write("zoo.json", logits, names(), chosen or set(names()))
    if "gradients" in which:
        write("zoo_gradients.json", gradients, GRADIENTS, chosen or set(GRADIENTS))
    if "init" in which:
        write("zoo_init.json", init, INITS, chosen or set(INITS))
