"""Keras's side of the comparison: TensorFlow on the CPU, compiled train step, as `fit` runs it."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")

import keras  # noqa: E402: the environment must be set first
import tensorflow as tf  # noqa: E402

from models import CLASSES, MODELS  # noqa: E402
from worker import serve  # noqa: E402

BATCHES = 16


def build(shape, layers):
    stack = [keras.Input(shape)]
    for index, (kind, *size) in enumerate(layers):
        match kind:
            case "conv":
                stack.append(keras.layers.Conv2D(size[0], 3, activation="relu"))
            case "pool":
                stack.append(keras.layers.MaxPooling2D(2))
            case "flatten":
                stack.append(keras.layers.Flatten())
            case "dense":
                last = index == len(layers) - 1
                stack.append(keras.layers.Dense(size[0], activation=None if last else "relu"))
    return keras.Sequential(stack)


def variants(model, batch_size, mode, device):
    keras.utils.set_random_seed(1)
    shape, layers = MODELS[model]
    network = build(shape, layers)
    network.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = tf.random.uniform((BATCHES, batch_size, *shape))
    labels = tf.random.uniform((BATCHES, batch_size), maxval=CLASSES, dtype=tf.int32)
    endless = tf.data.Dataset.from_tensor_slices((images, labels)).repeat().prefetch(2)
    forward = tf.function(lambda x: network(x, training=False))
    batches = [images[i] for i in range(BATCHES)]

    def train(steps):
        network.fit(endless, steps_per_epoch=steps, verbose=0)

    def infer(steps):
        for step in range(steps):
            forward(batches[step % BATCHES])

    return {"fit" if mode == "train" else "function": train if mode == "train" else infer}


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["OMP_NUM_THREADS"]))
    serve({"keras": keras.__version__, "tensorflow": tf.__version__}, variants)
