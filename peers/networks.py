"""The networks that are timed, in PyTorch, with the batch and image size that they are timed at."""
import torch.nn as nn
from torch.nn.functional import relu


class Block(nn.Module):
    """A residual block of two 3x3 convolutions."""

    def __init__(self, width_in, width, stride):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(width_in, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        self.shortcut = nn.Identity()
        if stride > 1 or width_in != width:
            self.shortcut = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        return relu(self.branch(x) + self.shortcut(x))


def residual_for_cifar(widths, depth):
    layers = [nn.Conv2d(3, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
    width = widths[0]
    for stage, wide in enumerate(widths):
        for i in range(depth):
            layers.append(Block(width, wide, 2 if stage > 0 and i == 0 else 1))
            width = wide
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def torchvision(name):
    def make():
        import torchvision
        return getattr(torchvision.models, name)()
    return make


# name: (constructor, batch, channels, image size, classes)
NETWORKS = {
    "lenet5": (lenet5, 128, 1, 28, 10),
    "cifar_resnet20": (lambda: residual_for_cifar([16, 32, 64], 3), 128, 3, 32, 10),
    "cifar_resnet18": (lambda: residual_for_cifar([64, 128, 256, 512], 2), 128, 3, 32, 10),
    "squeezenet1_1": (torchvision("squeezenet1_1"), 32, 3, 224, 1000),
    "mobilenetv2_100": (torchvision("mobilenet_v2"), 32, 3, 224, 1000),
    "resnet18": (torchvision("resnet18"), 32, 3, 224, 1000),
    "resnet50": (torchvision("resnet50"), 16, 3, 224, 1000),
}
