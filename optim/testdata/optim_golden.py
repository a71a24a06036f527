"""Writes optim_golden.json: ten updates of mixed parameters by every optimizer, as
torch.optim and timm.optim make them in float64. Gradients come from a formula of the
weights, so that errors would grow. Needs torch and timm.

    python optim_golden.py
"""
import json
import os

import timm.optim as to
import timm.optim.muon as muon
import torch
from timm.utils import dispatch_clip_grad
from timm.utils.model_ema import ModelEmaV3

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
steps = 10

# Newton-Schulz in the parameters' precision instead of bfloat16.
newton = muon.zeropower_via_newtonschulz
muon.zeropower_via_newtonschulz = lambda *a, **k: newton(*a, **(k | {"dtype": torch.float64}))


class UnitMuon(torch.optim.Optimizer):
    """Muon as cifar10-airbench has it: matrices other than fc brought to the norm
    sqrt(outputs), decayed, and moved by three constant steps; all else by Nesterov SGD."""

    def __init__(self, groups):
        super().__init__(groups, {})
        others = [dict(g, params=[p for p in g["params"] if not self.matrix(p)]) for g in groups]
        self.sgd = torch.optim.SGD([g for g in others if g["params"]], momentum=0.85, nesterov=True)

    def matrix(self, p):
        return tuple(p.shape) != shapes["fc.weight"] and muon._is_suitable_for_muon(p)

    def step(self):
        for g, own in zip([g for g in self.param_groups if any(not self.matrix(p) for p in g["params"])], self.sgd.param_groups):
            own["lr"] = g["lr"]
        self.sgd.step()
        for p, s in self.sgd.state.items():
            self.state[p] = s
        for g in self.param_groups:
            for p in filter(self.matrix, g["params"]):
                m = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - 0.6)
                u = p.grad.lerp(m, 0.6).reshape(len(p), -1)
                x = newton(u, 3, muon._COEFFICIENTS["original"], dtype=torch.float64)
                with torch.no_grad():
                    p.mul_(len(p) ** 0.5 / p.norm().clamp(min=1e-7) * (1 - g["lr"] * g["weight_decay"])).add_(x.view_as(p), alpha=-g["lr"])


shapes = {"conv.weight": (18, 17, 1, 2), "small.weight": (8, 3, 2, 2), "dw.weight": (5, 1, 3, 3), "fc.weight": (17, 19), "tall.weight": (20, 4),
          "table": (1, 17, 18), "bias": (7,), "one": (1,), "zero": (6, 5)}
kinds = {"conv.weight": "conv", "small.weight": "conv", "dw.weight": "conv", "fc.weight": "linear", "tall.weight": "linear"}


def numbers(*shape):
    return torch.randn(*shape).float().double()  # exact in float32


start = {n: torch.zeros(s) if n == "zero" else numbers(*s) * 0.3 for n, s in shapes.items()}
target = {n: numbers(*s) for n, s in shapes.items()}
push = {n: numbers(*s) for n, s in shapes.items()}


def grads(weights, i):
    """The gradients at update i, rounded to float32."""
    return {n: ((w - target[n]) * 0.5 + push[n] * (0.3 * ((i % 3) - 1))).float().double() for n, w in weights.items()}


def train(make, config, lr=0.02, decay=0.05, clip=None, gradients=None):
    """Ten updates with gradients of their own weights, or given ones; the groups are with
    and without weight decay, the latter at half the learning rate. The learning rate of
    the first update is 0."""
    torch.manual_seed(1)
    params = {n: v.clone().requires_grad_() for n, v in start.items()}
    groups = [{"params": [p for p in params.values() if p.ndim > 1], "weight_decay": decay, "lr": lr},
              {"params": [p for p in params.values() if p.ndim <= 1], "weight_decay": 0.0, "lr": lr / 2}]
    opt = make(groups)
    full = [g["lr"] for g in opt.param_groups]
    given = []
    for i in range(steps):
        for g, rate in zip(opt.param_groups, full):
            g["lr"] = rate * min(1, i / 2)
        now = grads({n: p.detach() for n, p in params.items()}, i)
        given.append(now)
        for n, p in params.items():
            p.grad = now[n].clone()
        if clip:
            dispatch_clip_grad([p for n, p in params.items() if not (clip[0] == "agc" and n.startswith("fc"))], clip[1], mode=clip[0])
        opt.step()
    states = {}
    base = getattr(opt, "_base_optimizer", opt)
    for n, p in params.items():
        for key, v in base.state[p].items():
            if torch.is_tensor(v) and key not in ("step",) and v.numel() > 1 or (torch.is_tensor(v) and v.shape == p.shape):
                states[f"{key}.{n}"] = v
    cases.append({"Config": config, "LR": lr, "Decay": decay, "Weights": plain({n: p.detach() for n, p in params.items()}), "State": {n: probe(v) for n, v in states.items()}})


def probe(v):
    """A tensor's size, first and last value and root mean square."""
    v = v.detach().reshape(-1)
    return [v.numel(), v[0].item(), v[-1].item(), v.square().mean().sqrt().item()]


def plain(values):
    return {n: [float(f"{x:.8g}") for x in v.reshape(-1).tolist()] for n, v in values.items()}


cases = []
O = torch.optim
train(lambda p: O.SGD(p), {"Name": "sgd"})
train(lambda p: O.SGD(p, momentum=0.9, dampening=0.2), {"Name": "sgd", "Momentum": 0.9, "Dampening": 0.2})
train(lambda p: O.SGD(p, momentum=0.9, nesterov=True), {"Name": "sgd", "Momentum": 0.9, "Nesterov": True})
train(lambda p: O.Adam(p), {"Name": "adam"})
train(lambda p: O.AdamW(p, betas=(0.8, 0.95)), {"Name": "adamw", "Betas": [0.8, 0.95]})
train(lambda p: to.NAdamW(p), {"Name": "nadamw"})
train(lambda p: O.RAdam(p), {"Name": "radam"})
train(lambda p: O.RAdam(p, betas=(0.9, 0.8)), {"Name": "radam", "Betas": [0.9, 0.8]})
train(lambda p: O.Adamax(p), {"Name": "adamax"})
train(lambda p: O.RMSprop(p), {"Name": "rmsprop"})
train(lambda p: O.RMSprop(p, alpha=0.9, momentum=0.9, eps=1e-3), {"Name": "rmsprop", "Alpha": 0.9, "Momentum": 0.9, "Eps": 1e-3})
train(lambda p: to.RMSpropTF(p), {"Name": "rmsprop_tf"})
train(lambda p: to.RMSpropTF(p, momentum=0.9, eps=1e-3), {"Name": "rmsprop_tf", "Momentum": 0.9, "Eps": 1e-3})
train(lambda p: to.Lamb(p), {"Name": "lamb", "MaxGradNorm": 1})
train(lambda p: to.Lamb(p, max_grad_norm=None, trust_clip=True, always_adapt=True, betas=(0.8, 0.9)),
      {"Name": "lamb", "TrustClip": True, "AlwaysAdapt": True, "Betas": [0.8, 0.9]})
train(lambda p: to.Lars(p), {"Name": "lars", "TrustCoeff": 0.001})
train(lambda p: to.Lars(p, momentum=0.9, nesterov=True, trust_coeff=0.01, trust_clip=True, always_adapt=True),
      {"Name": "lars", "Momentum": 0.9, "Nesterov": True, "TrustCoeff": 0.01, "TrustClip": True, "AlwaysAdapt": True}, lr=0.05)
train(lambda p: to.Lion(p), {"Name": "lion"}, lr=0.003)
train(lambda p: to.Adan(p), {"Name": "adan"})
train(lambda p: to.Adafactor(p, lr=0.02), {"Name": "adafactor"})
train(lambda p: to.Adafactor(p, lr=0.02, betas=(0.9, 0.0)), {"Name": "adafactor", "Betas": [0.9, 0]})
train(lambda p: to.MADGRAD(p), {"Name": "madgrad", "Momentum": 0.9})
train(lambda p: to.MADGRAD(p, momentum=0), {"Name": "madgrad"})
train(lambda p: to.Muon(p, momentum=0.95), {"Name": "muon", "Momentum": 0.95})
train(lambda p: to.Muon(p, momentum=0.9, nesterov=True), {"Name": "muon", "Momentum": 0.9, "Nesterov": True})
train(lambda p: to.Muon(p, momentum=0.9, ns_coefficients="original", ns_steps=3, adjust_lr_fn="original"),
      {"Name": "muon", "Momentum": 0.9, "Muon": {"Steps": 3, "Coefficients": "original", "Scale": "original"}})
train(lambda p: to.Muon(p, momentum=0.9, ns_steps=7, adjust_lr_fn="rms_to_rms"), {"Name": "muon", "Momentum": 0.9, "Muon": {"Steps": 7, "Scale": "rms_to_rms"}})
train(lambda p: UnitMuon(p), {"Name": "muon", "Momentum": 0.6, "Nesterov": True,
      "Muon": {"Steps": 3, "Coefficients": "original", "Scale": "none", "Unit": True, "Rest": "sgd", "RestMomentum": 0.85, "Except": "fc"}})
train(lambda p: to.Lookahead(O.SGD(p, momentum=0.9), alpha=0.4, k=3), {"Name": "sgd", "Momentum": 0.9, "LookaheadK": 3, "LookaheadAlpha": 0.4})
train(lambda p: O.SGD(p, momentum=0.9), {"Name": "sgd", "Momentum": 0.9, "Clip": {"Mode": "norm", "Most": 2}}, clip=("norm", 2))
train(lambda p: O.SGD(p, momentum=0.9), {"Name": "sgd", "Momentum": 0.9, "Clip": {"Mode": "value", "Most": 0.2}}, clip=("value", 0.2))
train(lambda p: O.SGD(p, momentum=0.9), {"Name": "sgd", "Momentum": 0.9, "Clip": {"Mode": "agc", "Most": 0.3}}, clip=("agc", 0.3))
train(lambda p: to.Lamb(p), {"Name": "lamb", "MaxGradNorm": 1, "Clip": {"Mode": "norm", "Most": 2}}, clip=("norm", 2))

ema = ModelEmaV3(torch.nn.Linear(1, 1), decay=0.9, use_warmup=True)
decays = [ema.get_decay(i) for i in range(1, 60)]

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optim_golden.json"), "w") as f:
    json.dump({"Shapes": shapes, "Kinds": kinds, "Start": plain(start), "Target": plain(target), "Push": plain(push), "Decays": decays}, f, separators=(",", ":"))
    f.seek(f.tell() - 1)
    f.write(',"Cases":[\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")
