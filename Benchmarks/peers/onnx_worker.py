"""ONNX Runtime's side of the comparison: the model as PyTorch exports it, all graph optimizations (they fold batch
normalization into the convolutions), images as NumPy arrays."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

from models import MODELS
from worker import serve

BATCHES = 16


def exported(model, batch_size):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        exporter = Path(__file__).with_name("onnx_export.py")
        subprocess.run([sys.executable, exporter, model, str(batch_size), file], check=True)
        return file.read_bytes()


def variants(model, batch_size, mode, device):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(exported(model, batch_size), options, providers=["CPUExecutionProvider"])
    height, width, channels = MODELS[model].shape
    random = np.random.default_rng(1)
    batches = [random.random((batch_size, channels, height, width), np.float32) for _ in range(BATCHES)]

    def infer(steps):
        for step in range(steps):
            session.run(None, {"images": batches[step % BATCHES]})

    return {"run": infer}


if __name__ == "__main__":
    serve({"onnxruntime": onnxruntime.__version__}, variants)
