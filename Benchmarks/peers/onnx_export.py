#!/usr/bin/env python3
"""Writes a model's forward pass from PyTorch as ONNX: onnx_export.py MODEL BATCH_SIZE FILE

A process of its own, so that PyTorch and its threads are gone when ONNX Runtime is measured.
"""

import sys

import torch

from models import MODELS
from torch_models import build


def main():
    name, batch_size, file = sys.argv[1:]
    torch.manual_seed(1)
    height, width, channels = MODELS[name].shape
    images = torch.rand(int(batch_size), channels, height, width)
    torch.onnx.export(build(name).eval(), (images,), file, input_names=["images"], output_names=["logits"],
                      external_data=False, verbose=False)


if __name__ == "__main__":
    main()
