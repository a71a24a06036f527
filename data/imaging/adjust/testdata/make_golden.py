#!/usr/bin/env python3
"""Writes the golden files that the tests of data/imaging/adjust compare with.

Made with Pillow 13.0.0 (rows "pillow") and torchvision 0.29.2 on torch 2.15.0 (rows "torchvision"). Seed 21. Run it in
this folder:  python3 make_golden.py

golden.json    one object a case; "at" and "n" say where its expected bytes lie in golden.bin.gz
golden.bin.gz  8-bit pixels in the order row, column, channel
images/        the pictures, gray and RGB: wide in contrast, dull, of one colour, and tiny
"""
import gzip
import json

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
import torchvision.transforms.functional as F

rng = np.random.default_rng(21)
cases, blob = [], bytearray()


def expect(kind, name, op, args, image, filter=""):
    raw = np.asarray(image).tobytes()
    cases.append({"kind": kind, "file": name + ".png", "op": op, "args": args, "filter": filter, "at": len(blob), "n": len(raw)})
    blob.extend(raw)


def picture(width, height, channels, low=0, high=255):
    """Smooth areas, an edge and some noise, within the given values."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        a, b, p = rng.uniform(0.05, 0.5, 3)
        v = 0.5 + 0.45 * np.sin(a * x + p * 20) * np.cos(b * y + c) + rng.normal(0, 0.06, x.shape)
        v[(x - width * rng.uniform(0.3, 0.7)) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2] += rng.uniform(-0.6, 0.6)
        planes.append(low + np.clip(v, 0, 1) * (high - low))
    v = np.stack(planes, -1).astype(np.uint8)
    return Image.fromarray(v if channels == 3 else v[..., 0])


def solarize_add(im, add, thresh):
    lut = [min(255, v + int(add)) if v < thresh else v for v in range(256)]
    return im.point(lut * len(im.getbands()))


def posterize(im, bits):
    mask = ~(2 ** (8 - int(bits)) - 1)
    return im.point([v & mask for v in range(256)] * len(im.getbands()))


FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
FILL = (124, 7, 233)


def affine(im, matrix, filter):
    return im.transform(im.size, Image.AFFINE, matrix, resample=FILTERS[filter], fillcolor=FILL[:len(im.getbands())] if im.mode == "RGB" else FILL[0])


def rotate(im, degrees, filter):
    return im.rotate(degrees, resample=FILTERS[filter], fillcolor=FILL if im.mode == "RGB" else FILL[0])



pictures = {}
for mode, channels in [("rgb", 3), ("gray", 1)]:
    pictures[mode] = picture(21, 17, channels)
    pictures["square_" + mode] = picture(14, 14, channels)
    pictures["dull_" + mode] = picture(12, 15, channels, 90, 131)
    pictures["flat_" + mode] = picture(4, 5, channels, 77, 77)
    pictures["tiny_" + mode] = picture(2, 3, channels)
    pictures["pixel_" + mode] = picture(1, 1, channels)

for name, im in pictures.items():
    im.save(f"images/{name}.png", optimize=True)
    expect("pillow", name, "AutoContrast", [], ImageOps.autocontrast(im))
    expect("pillow", name, "Equalize", [], ImageOps.equalize(im))
    expect("pillow", name, "Invert", [], ImageOps.invert(im))
    for bits in range(9):
        expect("pillow", name, "Posterize", [bits], posterize(im, bits))
    for threshold in [0, 0.5, 1, 77, 128, 211.5, 255, 256]:
        expect("pillow", name, "Solarize", [threshold], ImageOps.solarize(im, threshold))
    for add in [0, 33, 110, 128]:
        expect("pillow", name, "SolarizeAdd", [add, 128], solarize_add(im, add, 128))
    for factor in [0, 0.01, 0.1, 0.37, 0.73, 0.999, 1, 1.234, 1.9, 1.99]:
        for op in ["Color", "Contrast", "Brightness", "Sharpness"]:
            expect("pillow", name, op, [factor], getattr(ImageEnhance, op)(im).enhance(factor))
    for radius in [0, 0.1, 0.37, 0.8, 1, 1.5, 2, 3.3, 11]:
        expect("pillow", name, "Blur", [radius], im.filter(ImageFilter.GaussianBlur(radius)))
    if im.mode == "RGB":
        expect("pillow", name, "Gray", [], im.convert("L").convert("RGB"))
    for turn in [0, 0.003, 0.1, 0.37, 0.5, -0.2, -0.5]:
        expect("pillow", name, "Hue", [turn], F.adjust_hue(im, turn))
    for filter in FILTERS:
        for shear in [0.03, 0.3, -0.21, 0.99]:
            expect("pillow", name, "ShearX", [shear], affine(im, (1, shear, 0, 0, 1, 0), filter), filter)
            expect("pillow", name, "ShearY", [shear], affine(im, (1, 0, 0, shear, 1, 0), filter), filter)
        for pixels in [0, 1, 0.5, 3.3, -4.71, 60]:
            expect("pillow", name, "TranslateX", [pixels], affine(im, (1, 0, pixels, 0, 1, 0), filter), filter)
            expect("pillow", name, "TranslateY", [pixels], affine(im, (1, 0, 0, 0, 1, pixels), filter), filter)
        for degrees in [0, 2.1, 21, 30, -30, 45, 90, -90, 135, 180, -17.3]:
            expect("pillow", name, "Rotate", [degrees], rotate(im, degrees, filter), filter)
    if min(im.size) > 11:
        for sigma in [0.1, 0.5, 1.1, 1.99]:
            expect("torchvision", name, "Gaussian", [sigma], F.gaussian_blur(im, 23, sigma))

for mode in ["rgb", "gray"]:
    a, b = pictures[mode], pictures[mode].transpose(Image.FLIP_LEFT_RIGHT)
    for alpha in [0, 0.01, 0.3, 0.77, 1, 1.5, -0.4]:
        expect("pillow", mode, "BlendMirrored", [alpha], Image.blend(a, b, alpha))

with open("golden.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
with open("golden.bin.gz", "wb") as f:
    f.write(gzip.compress(bytes(blob), 9, mtime=0))
print(len(cases), "cases,", len(blob), "bytes")
