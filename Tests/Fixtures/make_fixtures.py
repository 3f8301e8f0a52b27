#!/usr/bin/env python3
"""Makes the fixed values of the tests, from Keras and PyTorch:

    pip install tensorflow-cpu torch && python Tests/Fixtures/make_fixtures.py

Inputs are exact in float32, everything is computed in float64 and stored as float32. Running it again gives the
same files. README.md beside it describes the cases, their attributes and their tensors.
"""

import os
import sys
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0",
                  CUDA_VISIBLE_DEVICES="-1")
# Triton and TensorFlow each bring an LLVM, and the two abort in one process; PyTorch runs without Triton.
sys.modules["triton"] = None

import keras  # noqa: E402: the environment must be set first
import tensorflow  # noqa: E402

keras.config.set_floatx("float64")
tensorflow.get_logger().setLevel("ERROR")

import initializers  # noqa: E402
import layers  # noqa: E402
import losses  # noqa: E402
import models  # noqa: E402
import optimizers  # noqa: E402
import precision  # noqa: E402
import reductions  # noqa: E402
import updates  # noqa: E402

if __name__ == "__main__":
    for topic in (layers, losses, models, optimizers, initializers, precision, reductions, updates):
        fixture = topic.make()
        path = fixture.write(Path(__file__).resolve().parent)
        print(f"{path.name}: {len(fixture.metadata)} cases, {path.stat().st_size:,} bytes")
