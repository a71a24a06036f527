"""What the scripts beside it have in common: running a PyTorch layer on numbers made by formula and writing
what golden_test.go compares with."""
import json
import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "testdata"))
import formula


def fill(net):
    with torch.no_grad():
        for name, t in net.state_dict().items():
            t.copy_(torch.from_numpy(np.asarray(formula.parameter(name, tuple(t.shape)))))
    return net


def entry(net, shape):
    """One layer, in float64, on an input (N, C, H, W) or (N, L, C). It may have regions of interest."""
    net = fill(net).double()
    n = int(np.prod(shape))
    x = torch.from_numpy((np.sqrt(3) * formula.uniform("x", n)).astype(np.float32).reshape(shape)).double().requires_grad_()
    with torch.no_grad():
        ev = net.eval()(x)
    y = net.train()(x)
    dy = formula.uniform("dy", y.numel()).astype(np.float32).reshape(tuple(y.shape))
    (y * torch.from_numpy(dy).double()).sum().backward()
    return {
        "input": list(shape), "shape": list(y.shape),
        "eval": formula.summary("y", ev.numpy()), "train": formula.summary("y", y.detach().numpy()),
        "input_grad": formula.summary("x", x.grad.numpy()),
        "gradients": {k: formula.summary(k, p.grad.numpy()) for k, p in net.named_parameters()},
        "statistics": {k: formula.summary(k, b.numpy()) for k, b in net.named_buffers() if "running" in k},
    } | ({"rois": net.rois.flatten().tolist()} if hasattr(net, "rois") else {})


def write(file, entries):
    """entries are (name, layer, shape of the input); the name is a spec, then perhaps a space and a remark."""
    out = {name: entry(net, shape) for name, net, shape in entries}
    path = os.path.join(HERE, file)
    with open(path, "w") as f:
        f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v, separators=(",", ":")) for k, v in out.items()) + "\n}\n")
    print(file, os.path.getsize(path), "bytes")
