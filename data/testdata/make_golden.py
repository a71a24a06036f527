#!/usr/bin/env python3
"""Writes the golden files that the tests of data/imaging and data/transform compare with.

Made with Debian 12's python3: Pillow 9.4.0 on libjpeg-turbo 2.1.5, torch 1.13.0, torchvision 0.14.1, and
libjpeg-turbo-progs' cjpeg. Seed 20. Run it in this folder:  /usr/bin/python3 make_golden.py

golden.json  one object a case; "at" and "n" say where its expected bytes lie in golden.bin.gz
golden.bin.gz  8-bit pixels in the order row, column, channel, or float32 in the order row, column, channel
images/  the pictures that are decoded
"""
import gzip
import json
import os
import shutil
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image, ImageFilter, ImageOps
import torchvision.transforms as T
from torchvision.transforms import InterpolationMode

rng = np.random.default_rng(20)
cases, blob = [], bytearray()


def expect(kind, array, **fields):
    """Adds a case with its expected bytes."""
    raw = np.ascontiguousarray(array).tobytes()
    cases.append({"kind": kind, "at": len(blob), "n": len(raw), **fields})
    blob.extend(raw)


def picture(width, height, channels=3):
    """A photograph's mixture: smooth areas, edges and some noise."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        a, b, p = rng.uniform(0.05, 0.4, 3)
        v = 127 + 90 * np.sin(a * x + p * 20) * np.cos(b * y + c)
        v[(x - width * rng.uniform(0.3, 0.7)) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2] += rng.uniform(-120, 120)
        planes.append(v + rng.normal(0, 8, v.shape))
    v = np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)
    return Image.fromarray(v if channels == 3 else v[..., 0])


FILTERS = {"nearest": Image.NEAREST, "box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


def resizes():
    for name, im in [("rgb", picture(37, 29)), ("gray", picture(23, 31, 1))]:
        im.save(f"images/resize_{name}.png")
        w, h = im.size
        targets = [(16, 12, None), (w, 10, None), (11, h, None), (50, 41, None), (w, h, None), (5, 60, None), (1, 1, None),
                   (16, 16, (3.3, 2.7, 20.2, 25.9)), (30, 9, (4, 5, 21, 22)), (w, h, (0.5, 0.25, w, h - 1.5)), (17, 24, (4, 0, 21, 24))]
        for width, height, box in targets:
            for filter, code in FILTERS.items():
                expect("resize", np.asarray(im.resize((width, height), code, box)), file=f"resize_{name}.png",
                       width=width, height=height, filter=filter, box=box or [0, 0, w, h])


def decoded(file, exact=None):
    """Expected pixels of a file, gray and RGB: what Pillow makes of it, upright."""
    im = ImageOps.exif_transpose(Image.open("images/" + file))
    if exact is not None:
        rgb, gray = exact
    else:
        rgb, gray = np.asarray(im.convert("RGB")), np.asarray(im.convert("RGB").convert("L"))
    for array, channels in [(rgb, 3), (gray, 1)]:
        expect("decode", array, file=file, width=array.shape[1], height=array.shape[0], channels=channels)


def jpegs():
    def save(file, im, **options):
        im.save("images/" + file, **options)
        decoded(file)

    im = picture(45, 35)
    for sampling, name in enumerate(["444", "422", "420"]):
        save(f"{name}.jpg", im, quality=85, subsampling=sampling)
        save(f"{name}_progressive.jpg", im, quality=60, subsampling=sampling, progressive=True)
    save("gray.jpg", im.convert("L"), quality=90)
    save("gray_progressive.jpg", im.convert("L"), quality=90, progressive=True)
    save("narrow.jpg", picture(3, 18), quality=90)
    save("coarse.jpg", im, quality=2)
    save("cmyk.jpg", im.convert("CMYK"), quality=85)
    # The same data with Adobe's mark for YCCK.
    raw = bytearray(open("images/cmyk.jpg", "rb").read())
    raw[raw.index(b"Adobe") + 11] = 2
    open("images/ycck.jpg", "wb").write(raw)
    decoded("ycck.jpg")
    im.save("/tmp/golden.ppm")
    for name, args in {"440": ["-sample", "1x2"], "411": ["-sample", "4x1"], "rgb": ["-rgb"], "mixed": ["-sample", "2x2,2x1,1x2"],
                       "restart": ["-sample", "2x2", "-restart", "2B"], "restart_progressive": ["-progressive", "-restart", "3B"]}.items():
        subprocess.run(["cjpeg", *args, "-outfile", f"images/{name}.jpg", "/tmp/golden.ppm"], check=True)
        decoded(f"{name}.jpg")
    small = picture(20, 13)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation_{orientation}.jpg", small, quality=85, exif=exif)


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def raw_png(file, array, bits, colour, *chunks):
    """Writes PNG kinds that Pillow cannot. Rows are bytes already."""
    height, width = array.shape[0], chunks[0]
    rows = b"".join(b"\0" + np.ascontiguousarray(r).tobytes() for r in array)
    with open("images/" + file, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)))
        for c in chunks[1:]:
            f.write(c)
        f.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pngs():
    def save(file, im, **options):
        im.save("images/" + file, **options)
        decoded(file)

    im = picture(19, 14)
    alpha = Image.fromarray(rng.integers(0, 256, (14, 19), dtype=np.uint8))
    save("rgb.png", im)
    save("gray.png", im.convert("L"))
    save("alpha.png", Image.merge("RGBA", (*im.split(), alpha)))
    save("gray_alpha.png", Image.merge("LA", (im.convert("L"), alpha)))
    palette = im.quantize(16)
    save("palette.png", palette)
    save("palette_transparent.png", palette, transparency=bytes(range(0, 256, 16)))
    save("rgb_transparent.png", im, transparency=im.getpixel((3, 3)))
    save("gray_transparent.png", im.convert("L"), transparency=im.convert("L").getpixel((3, 3)))
    save("bits_1.png", im.convert("1"))
    packed = rng.integers(0, 256, (14, 5), dtype=np.uint8)
    raw_png("bits_2.png", packed, 2, 0, 19)
    decoded("bits_2.png")
    # 16 bits: the high byte. Pillow agrees for RGB and is wrong for gray.
    deep = rng.integers(0, 1 << 16, (14, 19, 3)).astype(">u2")
    raw_png("rgb_16.png", deep, 16, 2, 19)
    decoded("rgb_16.png")
    raw_png("gray_16.png", deep[..., 0], 16, 0, 19)
    high = (deep[..., 0] >> 8).astype(np.uint8)
    decoded("gray_16.png", (np.repeat(high[..., None], 3, 2), high))
    exif = Image.Exif()
    exif[0x0112] = 6
    save("orientation_6.png", im, exif=exif)


def others():
    im = picture(21, 16)
    im.save("images/lossless.webp", lossless=True)
    im.save("images/rgb.bmp")
    im.quantize(32).save("images/palette.gif")
    for file in ["lossless.webp", "rgb.bmp", "palette.gif"]:
        decoded(file)


def evaluations():
    """torchvision's evaluation of a picture, bit for bit in float32."""
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    for file, im in [("wide.png", picture(83, 60)), ("tall.png", picture(41, 70)), ("square.png", picture(32, 32))]:
        im.save("images/" + file)
        for pct, mode in [(0.875, "bilinear"), (0.95, "bicubic"), (1.0, "bicubic")]:
            if file == "square.png" and pct < 1:
                continue  # a picture of the right size is left alone here
            size = 32
            # InterpolationMode's values are the filters' names.
            t = T.Compose([T.Resize(int(size / pct), InterpolationMode(mode)), T.CenterCrop(size), T.ToTensor(), T.Normalize(mean, std)])
            expect("eval", t(im).permute(1, 2, 0).numpy(), file=file, size=size, crop_pct=pct, filter=mode, channels=3)
            gray = T.Compose([T.Grayscale(), T.Resize(int(size / pct), InterpolationMode(mode)), T.CenterCrop(size), T.ToTensor(), T.Normalize([0.449], [0.226])])
            expect("eval", gray(im).permute(1, 2, 0).numpy(), file=file, size=size, crop_pct=pct, filter=mode, channels=1)


if __name__ == "__main__":
    shutil.rmtree("images", ignore_errors=True)
    os.makedirs("images")
    resizes()
    jpegs()
    pngs()
    evaluations()
    others()
    with open("golden.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    with gzip.GzipFile("golden.bin.gz", "wb", 9, mtime=0) as f:
        f.write(bytes(blob))
