#!/usr/bin/env python3
"""The accuracy that Keras reaches with the recipes of `apus train mnist` and `apus train cifar10`, on the same files:

    Benchmarks/peers/.venv/bin/pip install tensorflow-cpu
    Benchmarks/peers/.venv/bin/python Benchmarks/peers/keras_accuracy.py mnist DATA

DATA holds `mnist/*-ubyte.gz` and `cifar-10-batches-bin/*.bin`, as their publishers lay them out.
"""

import argparse
from pathlib import Path

import numpy as np

from datasets import cifar10, mnist
from keras_models import build, keras
from models import MODELS

RECIPES = {
    "mnist": dict(model="tutorial-mnist", batch_size=200, validation_split=0.2),
    "cifar10": dict(model="tutorial-cifar", batch_size=32, validation_split=0.0),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", choices=MODELS)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    recipe = RECIPES[options.recipe]
    read = {"mnist": mnist, "cifar10": cifar10}[options.recipe]

    keras.utils.set_random_seed(options.seed)
    model = build(options.model or recipe["model"])
    model.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=["accuracy"])
    images, labels = read(options.data, "train")
    model.fit(images.astype(np.float32) / 255, labels, epochs=options.epochs, batch_size=recipe["batch_size"],
              validation_split=recipe["validation_split"], verbose=2)
    images, labels = read(options.data, "t10k")
    loss, accuracy = model.evaluate(images.astype(np.float32) / 255, labels, verbose=0)
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
