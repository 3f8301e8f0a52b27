"""The networks of models.py in PyTorch; residual networks are torchvision's."""

import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from models import MODELS, ResNet, Tutorial


def build(name):
    match MODELS[name]:
        case Tutorial() as description:
            return tutorial(description)
        case ResNet() as description:
            return resnet(description)


def tutorial(description):
    height, width, channels = description.shape
    modules = []
    for index, (kind, *size) in enumerate(description.layers):
        match kind:
            case "conv":
                modules += [nn.Conv2d(channels, size[0], 3), nn.ReLU()]
                height, width, channels = height - 2, width - 2, size[0]
            case "pool":
                modules.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            case "flatten":
                modules.append(nn.Flatten())
                features = height * width * channels
            case "dense":
                modules.append(nn.Linear(features, size[0]))
                features = size[0]
                if index < len(description.layers) - 1:
                    modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def resnet(description):
    block = {"basic": BasicBlock, "bottleneck": Bottleneck}[description.block]
    model = torchvision.models.ResNet(block, description.blocks, num_classes=description.classes)
    if description.stem == "cifar":
        model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        model.maxpool = nn.Identity()
    return model
