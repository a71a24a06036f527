"""Networks that neither timm nor torchvision names, written out or put together from timm's parts."""
from collections import OrderedDict

import timm
import torch
import torch.nn as nn
import torch.nn.functional as F


class PreActBlock(nn.Module):
    """A block of pre-activation whose shortcut takes what the first activation gives, if share; shortcut names a 1x1
    convolution, or is None for option A."""

    def __init__(self, i, o, stride, shortcut, share):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(o), nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.changes = stride != 1 or i != o
        self.share, self.stride, self.pad, self.project = share or self.changes, stride, (o - i) // 2, None
        if self.changes and shortcut:
            self.project = shortcut.split(".")[0]
            conv = nn.Conv2d(i, o, 1, stride, bias=False)
            setattr(self, self.project, nn.Sequential(conv) if "." in shortcut else conv)

    def forward(self, x):
        y = F.relu(self.bn1(x))
        if self.share:
            x = y
        if self.project:
            x = getattr(self, self.project)(x)
        elif self.changes:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return x + self.conv2(F.relu(self.bn2(self.conv1(y))))


class PreActResNet(nn.Module):
    """He et al. (arXiv 1603.05027) under the names of kuangliu/pytorch-cifar, or, with wide names, of
    xternalz/WideResNet-pytorch."""

    def __init__(self, stem, widths, depth, classes, shortcut, wide=False):
        super().__init__()
        self.conv1, i, self.wide = nn.Conv2d(3, stem, 3, 1, 1, bias=False), stem, wide
        self.stages = []
        for s, o in enumerate(widths):
            blocks = nn.Sequential()
            for b in range(depth):
                blocks.append(PreActBlock(i, o, 2 if s and not b else 1, shortcut, s == b == 0))
                i = o
            stage = blocks
            if wide:
                stage = nn.Module()
                stage.layer = blocks
            self.add_module(f"block{s + 1}" if wide else f"layer{s + 1}", stage)
            self.stages.append(blocks.forward)
        self.norm = [nn.BatchNorm2d(i)]
        self.add_module("bn1" if wide else "bn", self.norm[0])
        self.add_module("fc" if wide else "linear", nn.Linear(i, classes))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.Linear):
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.conv1(x)
        for stage in self.stages:
            x = stage(x)
        x = F.relu(self.norm[0](x)).mean((2, 3))
        return self.fc(x) if self.wide else self.linear(x)


class ChannelGate(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(c, c // 16), nn.ReLU(), nn.Linear(c // 16, c))

    def forward(self, x):
        return x * torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))[:, :, None, None]


class SpatialGate(nn.Module):
    def __init__(self):
        super().__init__()
        self.spatial = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 1, 7, padding=3, bias=False), bn=nn.BatchNorm2d(1, momentum=0.01)))

    def forward(self, x):
        return x * torch.sigmoid(self.spatial(torch.stack([x.amax(1), x.mean(1)], 1)))


class CBAM(nn.Sequential):
    """Woo et al. (arXiv 1807.06521)."""

    def __init__(self, c):
        super().__init__(OrderedDict(ChannelGate=ChannelGate(c), SpatialGate=SpatialGate()))


class BAM(nn.Module):
    """Park et al. (arXiv 1807.06514), whose gates the authors' code multiplies."""

    def __init__(self, c):
        super().__init__()
        h = c // 16
        self.channel_att, self.spatial_att = nn.Module(), nn.Module()
        self.channel_att.gate_c = nn.Sequential(OrderedDict(
            flatten=nn.Flatten(), gate_c_fc_0=nn.Linear(c, h), gate_c_bn_1=nn.BatchNorm1d(h), gate_c_relu_1=nn.ReLU(), gate_c_fc_final=nn.Linear(h, c)))
        self.spatial_att.gate_s = nn.Sequential(OrderedDict(
            gate_s_conv_reduce0=nn.Conv2d(c, h, 1), gate_s_bn_reduce0=nn.BatchNorm2d(h), gate_s_relu_reduce0=nn.ReLU(),
            gate_s_conv_di_0=nn.Conv2d(h, h, 3, padding=4, dilation=4), gate_s_bn_di_0=nn.BatchNorm2d(h), gate_s_relu_di_0=nn.ReLU(),
            gate_s_conv_di_1=nn.Conv2d(h, h, 3, padding=4, dilation=4), gate_s_bn_di_1=nn.BatchNorm2d(h), gate_s_relu_di_1=nn.ReLU(),
            gate_s_conv_final=nn.Conv2d(h, 1, 1)))

    def forward(self, x):
        return x * (1 + torch.sigmoid(self.channel_att.gate_c(x.mean((2, 3)))[:, :, None, None] * self.spatial_att.gate_s(x)))


def with_cbam(net):
    """A ResNet of timm with a CBAM at the end of each block, under the names of the authors' code."""
    for block in net.modules():
        last = getattr(block, "bn3", getattr(block, "bn2", None))
        if last is None:
            continue
        shortcut = block.downsample
        del block.downsample
        block.cbam, block.downsample = CBAM(last.num_features), shortcut
        block.se = block.cbam.forward  # where timm calls an attention
    return net


def with_bam(net):
    """A ResNet of timm with a BAM behind each stage but the last, under the names of the authors' code."""
    stages = [net.layer1, net.layer2, net.layer3, net.layer4]
    fc = net.fc
    del net.layer1, net.layer2, net.layer3, net.layer4, net.fc
    for i, stage in enumerate(stages):
        setattr(net, f"layer{i + 1}", stage)
        if i < 3:
            setattr(net, f"bam{i + 1}", BAM(stage[-1].bn3.num_features))
    net.fc = fc
    net.forward_features = lambda x: net.layer4(net.bam3(net.layer3(net.bam2(net.layer2(net.bam1(net.layer1(net.maxpool(net.act1(net.bn1(net.conv1(x)))))))))))
    return net


class AirbenchBlock(nn.Module):
    """3x3 convolutions with a pool behind the first, and with three of them a shortcut around the last two."""

    def __init__(self, i, o, convs):
        super().__init__()
        self.convs = convs
        for k in range(convs):
            self.add_module(f"conv{k + 1}", nn.Conv2d(i if k == 0 else o, o, 3, 1, 1, bias=False))
            self.add_module(f"norm{k + 1}", nn.BatchNorm2d(o, eps=1e-12, momentum=0.4))

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        y = self.norm2(self.conv2(x))
        return F.gelu(y) if self.convs == 2 else F.gelu(x + self.norm3(self.conv3(F.gelu(y))))


class Airbench(nn.Module):
    """The networks of arXiv 2404.00498 for 32x32 pixels."""

    def __init__(self, widths, convs, classes):
        super().__init__()
        self.whiten, i = nn.Conv2d(3, 24, 2), 24
        for k, o in enumerate(widths):
            self.add_module(f"layer{k + 1}", AirbenchBlock(i, o, convs))
            i = o
        self.head = nn.Linear(i, classes, bias=False)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.gelu(self.whiten(x)))))
        return self.head(x.amax((2, 3))) / 9


# name: constructor from the number of classes.
MODELS = {
    "cifar_airbench94": lambda k: Airbench([64, 256, 256], 2, k),
    "cifar_airbench96": lambda k: Airbench([128, 512, 512], 3, k),
    "cbam_resnet18": lambda k: with_cbam(timm.create_model("resnet18", num_classes=k)),
    "cbam_resnet50": lambda k: with_cbam(timm.create_model("resnet50", num_classes=k)),
    "bam_resnet50": lambda k: with_bam(timm.create_model("resnet50", num_classes=k)),
    "cifar_preact_resnet18": lambda k: PreActResNet(64, [64, 128, 256, 512], 2, k, "shortcut.0"),
    "cifar_wrn16_4": lambda k: PreActResNet(16, [64, 128, 256], 2, k, "convShortcut", wide=True),
    "cifar_wrn28_10": lambda k: PreActResNet(16, [160, 320, 640], 4, k, "convShortcut", wide=True),
}
for depth in (20, 32, 44, 56, 110):
    MODELS[f"cifar_preact_resnet{depth}"] = lambda k, n=(depth - 2) // 6: PreActResNet(16, [16, 32, 64], n, k, None)

# Heights and widths other than 64x64.
SIZES = {name: (32, 20) for name in MODELS if name.startswith("cifar")}
