"""Networks that neither timm nor torchvision names, written out or put together from timm's parts."""
import timm

# name: constructor from the number of classes.
MODELS = {
    "cbam_resnet18": lambda k: timm.models.resnet.ResNet(timm.models.resnet.BasicBlock, [2, 2, 2, 2], num_classes=k, block_args=dict(attn_layer="cbam")),
    "cbam_resnet50": lambda k: timm.models.resnet.ResNet(timm.models.resnet.Bottleneck, [3, 4, 6, 3], num_classes=k, block_args=dict(attn_layer="cbam")),
}

# Heights and widths other than 64x64.
SIZES = {}
