"""The operations that `rates` measures, in PyTorch, channels_last: a line of JSON each.

    torch_rates.py RATES OPTION...      RATES: the program, which lists its operations; OPTIONS are for it
"""

import json
import re
import subprocess
import sys
import time
from math import prod

import torch

SECONDS, ROUNDS = 0.03, 3
CONVOLUTION = re.compile(r"convolution (?P<window>\d+)x\d+ (?P<size>\d+)x\d+x(?P<channels>\d+) to (?P<filters>\d+)"
                         r"(?: stride (?P<stride>\d+))?(?P<depthwise> depthwise)? batch (?P<batch>\d+) (?P<which>.+)")
PRODUCT = re.compile(r"\w+ (?P<m>\d+)x(?P<k>\d+) by \d+x(?P<n>\d+) (?P<which>.+)")
CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"


def noise(*shape):
    values = torch.rand(*shape, device=DEVICE)
    return values.to(memory_format=torch.channels_last) if len(shape) == 4 else values


def convolution(found):
    """A function that does it once, and the floating-point operations of that."""
    window, size, channels, filters, batch = (int(found[name]) for name in
                                              ("window", "size", "channels", "filters", "batch"))
    stride = int(found["stride"] or 1)
    groups = channels if found["depthwise"] else 1
    x, weights = noise(batch, channels, size, size), noise(filters, channels // groups, window, window)
    geometry = ([stride] * 2, [window // 2] * 2, [1, 1], False, [0, 0], groups)
    y = torch.ops.aten.convolution(x, weights, None, *geometry)
    operations = 2 * y.numel() * prod(weights.shape[1:])
    if found["which"] == "forward":
        return lambda: torch.ops.aten.convolution(x, weights, None, *geometry), operations
    wanted = [found["which"] == "input gradient", found["which"] == "filter gradient", False]
    return lambda: torch.ops.aten.convolution_backward(y, x, weights, None, *geometry, wanted), operations


def product(found):
    m, k, n = (int(found[name]) for name in "mkn")
    a, b, y = noise(m, k), noise(k, n), noise(m, n)
    run = {"forward": lambda: a @ b, "input gradient": lambda: y @ b.T, "filter gradient": lambda: a.T @ y}
    return run[found["which"]], 2 * m * k * n


def seconds(run, count):
    start = time.perf_counter()
    for _ in range(count):
        run()
    if CUDA:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def gflops(run, operations, tf32):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    seconds(run, 2)
    count = max(1, int(SECONDS / seconds(run, 1)))
    return operations * count / sorted(seconds(run, count) for _ in range(ROUNDS))[ROUNDS // 2] * 1e-9


def measured(name):
    found = CONVOLUTION.fullmatch(name)
    run, operations = convolution(found) if found else product(PRODUCT.fullmatch(name))
    line = {"operation": name, "float32": round(gflops(run, operations, False), 1)}
    return line | {"tf32": round(gflops(run, operations, True), 1)} if CUDA else line


@torch.inference_mode()
def main():
    torch.backends.cudnn.benchmark = True
    names = subprocess.run([*sys.argv[1:], "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    for name in names:
        print(json.dumps(measured(name)), flush=True)


if __name__ == "__main__":
    main()
