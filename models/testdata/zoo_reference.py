"""Networks that neither timm nor torchvision names, written out or put together from timm's parts."""
import timm
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


# name: constructor from the number of classes.
MODELS = {
    "cbam_resnet18": lambda k: timm.models.resnet.ResNet(timm.models.resnet.BasicBlock, [2, 2, 2, 2], num_classes=k, block_args=dict(attn_layer="cbam")),
    "cbam_resnet50": lambda k: timm.models.resnet.ResNet(timm.models.resnet.Bottleneck, [3, 4, 6, 3], num_classes=k, block_args=dict(attn_layer="cbam")),
    "cifar_preact_resnet18": lambda k: PreActResNet(64, [64, 128, 256, 512], 2, k, "shortcut.0"),
    "cifar_wrn16_4": lambda k: PreActResNet(16, [64, 128, 256], 2, k, "convShortcut", wide=True),
    "cifar_wrn28_10": lambda k: PreActResNet(16, [160, 320, 640], 4, k, "convShortcut", wide=True),
}
for depth in (20, 32, 44, 56, 110):
    MODELS[f"cifar_preact_resnet{depth}"] = lambda k, n=(depth - 2) // 6: PreActResNet(16, [16, 32, 64], n, k, None)

# Heights and widths other than 64x64.
SIZES = {name: (32, 20) for name in MODELS if name.startswith("cifar")}
