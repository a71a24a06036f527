#!/usr/bin/env python3
"""Writes what Pillow's draft mode, which is libjpeg's scaled decoding, makes of the JPEGs in ../../../testdata/images.

Made with Pillow 13.0.0 on libjpeg-turbo 3.2.0. Run it in this folder:  python3 make_golden.py

golden.json  one object a case: kind "shrunk" (RGB; "size" is the shrink) or "luma" (the Y of a colour file); "at" and
"n" say where its expected bytes lie in golden.bin.gz, in the order row, column, channel
"""
import glob
import gzip
import json
import os

import numpy as np
from PIL import Image

cases, blob = [], bytearray()


def expect(kind, im, **fields):
    raw = np.asarray(im).tobytes()
    cases.append({"kind": kind, "at": len(blob), "n": len(raw), "width": im.width, "height": im.height, **fields})
    blob.extend(raw)


for path in sorted(glob.glob("../../../testdata/images/*.jpg")):
    file = os.path.basename(path)
    for shrink in [2, 4, 8]:
        im = Image.open(path)
        size = im.size
        im.draft(None, (max(im.width // shrink, 1), max(im.height // shrink, 1)))
        if im.size != tuple(-(-s // shrink) for s in size):
            continue  # too narrow for draft to shrink it as much
        expect("shrunk", im.convert("RGB"), file=file, size=shrink, channels=3)
        if im.mode == "RGB" and not file.startswith("rgb"):
            im = Image.open(path)
            im.draft("L", (max(im.width // shrink, 1), max(im.height // shrink, 1)))
            expect("luma", im, file=file, size=shrink, channels=1)
    im = Image.open(path)
    if im.mode == "RGB" and not file.startswith("rgb"):
        im.draft("L", im.size)
        expect("luma", im, file=file, size=1, channels=1)

with open("golden.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
with gzip.GzipFile("golden.bin.gz", "wb", 9, mtime=0) as f:
    f.write(bytes(blob))
