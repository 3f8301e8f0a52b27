"""Keras's side of the comparison: TensorFlow on the CPU, compiled train step, as `fit` runs it."""

import os

from keras_models import build, keras  # before TensorFlow: it sets the environment

import tensorflow as tf

from models import MODELS
from worker import serve

BATCHES = 16


def variants(model, batch_size, mode, device):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    network, description = build(model), MODELS[model]
    network.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = tf.random.uniform((BATCHES, batch_size, *description.shape))
    labels = tf.random.uniform((BATCHES, batch_size), maxval=description.classes, dtype=tf.int32)
    endless = tf.data.Dataset.from_tensor_slices((images, labels)).repeat().prefetch(2)
    forward = tf.function(lambda x: network(x, training=False))
    batches = [images[i] for i in range(BATCHES)]

    def train(steps):
        network.fit(endless, steps_per_epoch=steps, shuffle=False, verbose=0)

    def infer(steps):
        for step in range(steps):
            forward(batches[step % BATCHES])

    return {"fit" if mode == "train" else "function": train if mode == "train" else infer}


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["OMP_NUM_THREADS"]))
    # One part: each call of `fit` has a start that a short part would make much of.
    serve({"keras": keras.__version__, "tensorflow": tf.__version__}, variants, parts=1)
