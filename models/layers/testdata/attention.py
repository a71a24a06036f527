#!/usr/bin/env python3
"""Writes attention.json: attention layers under PyTorch 2.15, those of timm 1.0.31 and others written out from their
papers under the names of the authors' code; on maps that are not square, of one image, and of odd numbers of channels."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from timm.layers import EcaModule, EffectiveSEModule, GlobalContext, SEModule, SelectiveKernel, SplitAttn
from timm.layers.coord_attn import CoordAttn

import golden


class GatherExcite(nn.Module):
    """timm 1.0.31 has it but cannot make it."""

    def __init__(self, c, reduction=16, use_mlp=True, extent=0, params=False):
        super().__init__()
        h = int(c / reduction + 0.5)
        self.extent, self.gather = extent, None
        if params:
            self.gather = nn.Sequential()
            for i in range(1, int(math.log2(extent)) + 1):
                if i > 1:
                    self.gather.add_module(f"act{i - 1}", nn.ReLU())
                self.gather.add_module(f"conv{i}", nn.Conv2d(c, c, 3, 2, 1, groups=c, bias=False))
                self.gather.add_module(f"norm{i}", nn.BatchNorm2d(c))
        self.mlp = Gate(fc1=nn.Conv2d(c, h, 1), fc2=nn.Conv2d(h, c, 1)) if use_mlp else None

    def forward(self, x):
        if self.gather is not None:
            y = self.gather(x)
        elif self.extent:
            y = F.avg_pool2d(x, 2 * self.extent - 1, self.extent, self.extent - 1, count_include_pad=False)
        else:
            y = x.mean((2, 3), keepdim=True)
        y = self.mlp.fc2(torch.relu(self.mlp.fc1(y))) if self.mlp else y
        return x * torch.sigmoid(F.interpolate(y, size=x.shape[-2:]))


class GatedChannel(nn.Module):
    def __init__(self, c, eps=1e-5):
        super().__init__()
        self.alpha, self.gamma, self.beta = (nn.Parameter(torch.ones(1, c, 1, 1)) for _ in range(3))
        self.eps = eps

    def forward(self, x):
        e = (x.pow(2).sum((2, 3), keepdim=True) + self.eps).sqrt() * self.alpha
        norm = self.gamma / (e.pow(2).mean(1, keepdim=True) + self.eps).sqrt()
        return x * (1 + torch.tanh(e * norm + self.beta))


class FrequencyChannel(nn.Module):
    FREQUENCIES = [(0, 0), (0, 1), (6, 0), (0, 5), (0, 2), (1, 0), (1, 2), (4, 0), (5, 0), (1, 6), (3, 0), (0, 4), (0, 6), (0, 3), (3, 5), (2, 2)]

    def __init__(self, c, reduction=16, frequencies=16):
        super().__init__()
        h = max(1, c // reduction)
        self.fc = nn.Sequential(nn.Linear(c, h, bias=False), nn.ReLU(), nn.Linear(h, c, bias=False))
        self.frequencies = self.FREQUENCIES[:frequencies]

    def forward(self, x):
        n, c, h, w = x.shape

        def along(f, size):
            f *= max(1, size // 7)
            v = torch.cos(math.pi * f * (torch.arange(size, dtype=x.dtype) + 0.5) / size) / math.sqrt(size)
            return v * math.sqrt(2) if f else v

        basis = torch.stack([along(u, h)[:, None] * along(v, w) for u, v in self.frequencies]).repeat_interleave(c // len(self.frequencies), 0)
        return x * torch.sigmoid(self.fc((x * basis).sum((2, 3))))[:, :, None, None]


class StyleRecalibration(nn.Module):
    def __init__(self, c, eps=1e-5):
        super().__init__()
        self.cfc, self.bn, self.eps = nn.Parameter(torch.zeros(c, 2)), nn.BatchNorm2d(c), eps

    def forward(self, x):
        flat = x.flatten(2)
        t = torch.stack((flat.mean(2), (flat.var(2) + self.eps).sqrt()), 2)
        return x * torch.sigmoid(self.bn((t * self.cfc).sum(2)[:, :, None, None]))


class SimAM(nn.Module):
    def forward(self, x):
        n = x.shape[2] * x.shape[3] - 1
        d = (x - x.mean((2, 3), keepdim=True)).pow(2)
        return x * torch.sigmoid(d / (4 * (d.sum((2, 3), keepdim=True) / n + 1e-4)) + 0.5)


class LargeKernel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv0 = nn.Conv2d(c, c, 5, padding=2, groups=c)
        self.conv_spatial = nn.Conv2d(c, c, 7, padding=9, groups=c, dilation=3)
        self.conv1 = nn.Conv2d(c, c, 1)

    def forward(self, x):
        return x * self.conv1(self.conv_spatial(self.conv0(x)))


class BasicConv(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 1, k, padding=k // 2, bias=False), nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, x):
        return self.bn(self.conv(torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1)))


class PairGate(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.conv = BasicConv(k)

    def forward(self, x):
        return x * torch.sigmoid(self.conv(x))


class Triplet(nn.Module):
    def __init__(self, k=7):
        super().__init__()
        self.cw, self.hc, self.hw = PairGate(k), PairGate(k), PairGate(k)

    def forward(self, x):
        a = self.cw(x.permute(0, 2, 1, 3)).permute(0, 2, 1, 3)
        b = self.hc(x.permute(0, 3, 2, 1)).permute(0, 3, 2, 1)
        return (a + b + self.hw(x)) / 3


class Gate(nn.Module):
    def __init__(self, **modules):
        super().__init__()
        for k, m in modules.items():
            setattr(self, k, m)


class CBAM(nn.Module):
    def __init__(self, c, reduction=16, k=7):
        super().__init__()
        h = max(1, c // reduction)
        self.ChannelGate = Gate(mlp=nn.Sequential(nn.Flatten(), nn.Linear(c, h), nn.ReLU(), nn.Linear(h, c)))
        self.SpatialGate = Gate(spatial=BasicConv(k))

    def forward(self, x):
        mlp = self.ChannelGate.mlp
        x = x * torch.sigmoid(mlp(x.mean((2, 3))) + mlp(x.amax((2, 3))))[:, :, None, None]
        return x * torch.sigmoid(self.SpatialGate.spatial(x))


class BAM(nn.Module):
    def __init__(self, c, reduction=16, dilation=4, combine="product"):
        super().__init__()
        h, d = max(1, c // reduction), dilation
        self.combine = combine
        self.channel_att = Gate(gate_c=nn.ModuleDict({"gate_c_fc_0": nn.Linear(c, h), "gate_c_bn_1": nn.BatchNorm1d(h), "gate_c_fc_final": nn.Linear(h, c)}))
        self.spatial_att = Gate(gate_s=nn.ModuleDict({
            "gate_s_conv_reduce0": nn.Conv2d(c, h, 1), "gate_s_bn_reduce0": nn.BatchNorm2d(h),
            "gate_s_conv_di_0": nn.Conv2d(h, h, 3, padding=d, dilation=d), "gate_s_bn_di_0": nn.BatchNorm2d(h),
            "gate_s_conv_di_1": nn.Conv2d(h, h, 3, padding=d, dilation=d), "gate_s_bn_di_1": nn.BatchNorm2d(h),
            "gate_s_conv_final": nn.Conv2d(h, 1, 1)}))

    def forward(self, x):
        c, s = self.channel_att.gate_c, self.spatial_att.gate_s
        mc = c["gate_c_fc_final"](torch.relu(c["gate_c_bn_1"](c["gate_c_fc_0"](x.mean((2, 3))))))[:, :, None, None]
        y = x
        for conv, bn in (("reduce0", "reduce0"), ("di_0", "di_0"), ("di_1", "di_1")):
            y = torch.relu(s["gate_s_bn_" + bn](s["gate_s_conv_" + conv](y)))
        ms = s["gate_s_conv_final"](y)
        return x * (1 + torch.sigmoid(mc * ms if self.combine == "product" else mc + ms))


class Temporal(nn.Module):
    def __init__(self, c, frames, reduction, fold):
        super().__init__()
        h = max(1, c // reduction)
        self.conv1, self.conv2 = nn.Conv2d(c, h, (3, 1), padding=(1, 0)), nn.Conv2d(h, c, 1)
        self.frames, self.fold = frames, c // fold

    def forward(self, x):
        n, c, h, w = x.shape
        t, f = self.frames, self.fold
        x = x.view(n // t, t, c, h, w)
        y = torch.zeros_like(x)
        y[:, :-1, :f] = x[:, 1:, :f]
        y[:, 1:, f:2 * f] = x[:, :-1, f:2 * f]
        y[:, :, 2 * f:] = x[:, :, 2 * f:]
        gate = torch.sigmoid(self.conv2(torch.relu(self.conv1(y.mean((3, 4)).transpose(1, 2)[..., None]))))
        return (y * gate[..., 0].transpose(1, 2)[..., None, None]).reshape(n, c, h, w)


ODD, ONE, TWO = (2, 13, 5, 3), (1, 32, 3, 4), (2, 32, 5, 7)

if __name__ == "__main__":
    golden.write("attention.json", [
        ("se", SEModule(32), TWO),
        ("se:reduction=4,divisor=1 odd", SEModule(13, rd_ratio=1 / 4, rd_divisor=1), (1, 13, 3, 4)),
        ("ese", EffectiveSEModule(13), ODD),
        ("eca", EcaModule(32), TWO),
        ("eca wide", EcaModule(140), (1, 140, 3, 2)),
        ("eca:k=5 odd", EcaModule(kernel_size=5), ODD),
        ("ge", GatherExcite(32), TWO),
        ("ge:reduction=2 odd", GatherExcite(13, 2), ODD),
        ("ge:mlp=false", GatherExcite(13, use_mlp=False), ODD),
        ("ge:extent=2", GatherExcite(32, extent=2), TWO),
        ("ge:extent=4,mlp=false large", GatherExcite(13, use_mlp=False, extent=4), (2, 13, 9, 11)),
        ("ge:extent=4,params=true", GatherExcite(32, extent=4, params=True), (3, 32, 9, 11)),
        ("gct", GatedChannel(13), ODD),
        ("fca", FrequencyChannel(32), TWO),
        ("fca:frequencies=2,reduction=4 large", FrequencyChannel(6, 4, 2), (1, 6, 15, 14)),
        ("srm", StyleRecalibration(13), (4, 13, 5, 3)),
        ("coord", CoordAttn(32, rd_channels=8), TWO),
        ("coord:reduction=2,least=1 odd", CoordAttn(13, rd_channels=6), ODD),
        ("simam", SimAM(), ODD),
        ("lka", LargeKernel(13), (1, 13, 9, 11)),
        ("triplet", Triplet(), ODD),
        ("triplet:k=3 one", Triplet(3), ONE),
        ("cbam", CBAM(32), TWO),
        ("cbam:reduction=4,k=3 odd", CBAM(13, 4, 3), ODD),
        ("bam", BAM(32), (4, 32, 5, 7)),
        ("bam:combine=sum,reduction=4,dilation=2 odd", BAM(13, 4, 2, "sum"), (4, 13, 5, 3)),
        ("gc", GlobalContext(32), TWO),
        ("gc:fuse=add,reduction=2 odd", GlobalContext(13, fuse_add=True, fuse_scale=False, rd_ratio=1 / 2), ODD),
        ("temporal:frames=3,reduction=4,fold=4", Temporal(13, 3, 4, 4), (6, 13, 3, 2)),
        ("sk", SelectiveKernel(32, 48, split_input=False), (4, 32, 5, 3)),
        ("sk-split", SelectiveKernel(32, 24, stride=2, rd_ratio=1 / 2, rd_divisor=16), (4, 32, 6, 7)),
        ("splat", SplitAttn(16, 24, norm_layer=nn.BatchNorm2d), (4, 16, 5, 7)),
        ("splat-groups", SplitAttn(12, 12, stride=2, groups=2, norm_layer=nn.BatchNorm2d), (4, 12, 6, 7)),
        ("splat-single", SplitAttn(12, 12, radix=1, norm_layer=nn.BatchNorm2d), (4, 12, 3, 4)),
    ])
