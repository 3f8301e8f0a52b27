"""The frameworks that Apus is measured against."""

import importlib.util
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from worker import Worker

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Peer:
    title: str
    script: str
    modes: tuple[str, ...]
    # What it needs: name to import -> package to install.
    packages: dict[str, str]
    arguments: tuple[str, ...] = ()


TORCH = {"numpy": "numpy", "torch": "torch", "torchvision": "torchvision"}
# The first that has a mode is that mode's yardstick.
PEERS = {
    "pytorch": Peer("PyTorch", "torch_worker.py", ("train", "infer"), TORCH),
    "pytorch-tf32": Peer("PyTorch with TF32", "torch_worker.py", ("train", "infer"), TORCH, ("--tf32",)),
    "keras": Peer("Keras", "keras_worker.py", ("train", "infer"), {"tensorflow": "tensorflow-cpu", "keras": "keras"}),
    "onnxruntime": Peer("ONNX Runtime", "onnx_worker.py", ("infer",),
                        TORCH | {name: name for name in ("onnx", "onnxscript", "onnxruntime")}),
}
USUAL = {"train": ("pytorch", "keras"), "infer": ("onnxruntime",)}


def peers_of(row, wanted):
    """The peers to measure a row against; `wanted` is None for the usual ones."""
    return [name for name in wanted or USUAL[row.mode] if row.mode in PEERS[name].modes]


def install(names):
    """Installs what is missing beside the Python that runs this, which is a virtual environment's."""
    missing = [package for name in names for module, package in PEERS[name].packages.items()
               if importlib.util.find_spec(module) is None]
    if not missing:
        return
    missing = list(dict.fromkeys(missing))
    print(f"Installing {', '.join(missing)} ...", file=sys.stderr)
    if subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], stdout=sys.stderr).returncode != 0:
        sys.exit(f"compare: pip could not install {' '.join(missing)} for {sys.executable}; its error is above")


def started(name, environment):
    peer = PEERS[name]
    return Worker(HERE / peer.script, environment, peer.arguments)


@contextmanager
def running(names, environment):
    """The peers' processes by name, ended at the end."""
    workers = {}
    try:
        for name in names:
            workers[name] = started(name, environment)
        yield workers
    finally:
        for worker in workers.values():
            worker.close()
