"""The networks as PyTorch users know them: torchvision's, timm's, and those of the CIFAR literature written out
under the names of the repositories whose weights circulate."""
import timm
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision


class Basic(nn.Module):
    """A basic block; option is "A" (akamaster/pytorch_resnet_cifar10) or "B" (kuangliu/pytorch-cifar)."""

    def __init__(self, i, o, stride, option):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.pad = None
        self.shortcut = nn.Sequential()
        if stride != 1 or i != o:
            if option == "A":
                self.pad = (0, 0, 0, 0, o // 4, o // 4)
            else:
                self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        x = self.shortcut(x) if self.pad is None else F.pad(x[:, :, ::2, ::2], self.pad)
        return F.relu(y + x)


class CifarResNet(nn.Module):
    def __init__(self, widths, depths, option, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0])
        i, self.stages = widths[0], len(widths)
        for s, (o, n) in enumerate(zip(widths, depths)):
            blocks = []
            for b in range(n):
                blocks.append(Basic(i, o, 2 if s and not b else 1, option))
                i = o
            setattr(self, f"layer{s + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(i, classes)
        if option == "A":
            for m in self.modules():
                if isinstance(m, (nn.Linear, nn.Conv2d)):
                    nn.init.kaiming_normal_(m.weight)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.linear(x.mean((2, 3)))


class LeNet(nn.Module):
    def __init__(self, chans, size, classes):
        super().__init__()
        side = (size // 2 - 4) // 2
        self.conv1, self.conv2 = nn.Conv2d(chans, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(16 * side * side, 120), nn.Linear(120, 84), nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class MLP(nn.Module):
    def __init__(self, chans, size, classes, hidden=(256,), act=F.relu):
        super().__init__()
        self.act, self.depth = act, len(hidden)
        widths = (chans * size * size, *hidden, classes)
        for i in range(self.depth + 1):
            setattr(self, f"fc{i + 1}", nn.Linear(widths[i], widths[i + 1]))

    def forward(self, x):
        x = x.flatten(1)
        for i in range(self.depth):
            x = self.act(getattr(self, f"fc{i + 1}")(x))
        return getattr(self, f"fc{self.depth + 1}")(x)


# name: (classes, channels, size) as published, and the constructor from these.
MODELS = {
    "lenet5": ((10, 1, 28), lambda k, c, s: LeNet(c, s, k)),
    "mlp": ((10, 1, 28), lambda k, c, s: MLP(c, s, k)),
    "mlp_500_500_2000": ((10, 1, 28), lambda k, c, s: MLP(c, s, k, (500, 500, 2000), torch.sigmoid)),
    "cifar_resnet18": ((10, 3, 32), lambda k, c, s: CifarResNet([64, 128, 256, 512], [2, 2, 2, 2], "B", k)),
    "resnet18": ((1000, 3, 224), lambda k, c, s: torchvision.models.resnet18(num_classes=k, zero_init_residual=True)),
    "resnet34": ((1000, 3, 224), lambda k, c, s: torchvision.models.resnet34(num_classes=k, zero_init_residual=True)),
    "resnet50": ((1000, 3, 224), lambda k, c, s: torchvision.models.resnet50(num_classes=k, zero_init_residual=True)),
    "squeezenet1_0": ((1000, 3, 224), lambda k, c, s: torchvision.models.squeezenet1_0(num_classes=k)),
    "squeezenet1_1": ((1000, 3, 224), lambda k, c, s: torchvision.models.squeezenet1_1(num_classes=k)),
}
for name in ("mobilenetv2_050", "mobilenetv2_100", "mobilenetv2_140"):
    MODELS[name] = ((1000, 3, 224), lambda k, c, s, name=name: timm.create_model(name, num_classes=k, in_chans=c))
for n in (3, 5, 7, 9):
    MODELS[f"cifar_resnet{6 * n + 2}"] = ((10, 3, 32), lambda k, c, s, n=n: CifarResNet([16, 32, 64], [n, n, n], "A", k))


def make(name, classes=None, chans=None, size=None):
    own, constructor = MODELS[name]
    return constructor(classes or own[0], chans or own[1], size or own[2])
