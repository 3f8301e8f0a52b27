"""Prints what this machine is, as JSON: processor, system, the GPU's driver, and PyTorch if there is one."""

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from peer_modules import machine

QUERY = "name,driver_version,memory.total,clocks.sm,clocks.max.sm,clocks.mem,power.limit,pcie.link.gen.max,compute_cap"


def gpus():
    """A line of nvidia-smi for each GPU, or why there is none."""
    if not shutil.which("nvidia-smi"):
        return "no nvidia-smi"
    result = subprocess.run(["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv"], capture_output=True, text=True)
    return (result.stdout or result.stderr).strip().splitlines()


def libraries():
    """Where the driver's parts for OpenCL lie: what is looked at first where the device is not found."""
    names = re.compile(r"opencl|libcuda\.so|nvidia-nvvm|nvidia-ptxjit", re.IGNORECASE)
    known = subprocess.run(["sh", "-c", "ldconfig -p"], capture_output=True, text=True).stdout
    beside = [str(path) for path in Path("/usr/local/nvidia").glob("lib*/*.so*")]
    return [line.strip() for line in [*known.splitlines(), *beside] if names.search(line)]


def torch():
    for name in ("torch", "torchvision"):
        if importlib.util.find_spec(name) is None:
            return {"missing": name}
    import torch

    found = {"version": torch.__version__, "cuda": torch.version.cuda, "available": torch.cuda.is_available()}
    if found["available"]:
        found |= {"cudnn": torch.backends.cudnn.version(), "device": torch.cuda.get_device_name()}
    return found


if __name__ == "__main__":
    threads = int(sys.argv[1])
    about = machine.description(threads, [])
    del about["devices"]  # a part of their own
    print(json.dumps(about | {"cores": os.cpu_count(), "libc": " ".join(platform.libc_ver()),
                              "python": platform.python_version(), "gpus": gpus(), "libraries": libraries(), "torch": torch()}))
