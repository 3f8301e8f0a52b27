#!/usr/bin/env python3
"""Prints the most bytes that PyTorch's allocator has given out at once in training a model, as its profiler records
them: parameters, optimizer state, one batch and three steps. What oneDNN allocates for itself is not among them.

    torch_memory.py MODEL BATCH_SIZE channels_last|contiguous
"""

import json
import sys
import tempfile
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from torch_worker import FORMATS, runner, use_threads


def main():
    model, batch_size, memory_format = sys.argv[1:]
    use_threads()
    # The allocator counts from the start of the profile, so the model is made within it.
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        runner(model, int(batch_size), "train", "cpu", FORMATS[memory_format], batch_count=1)(3)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        recorded.export_chrome_trace(str(file))
        events = json.loads(file.read_text())["traceEvents"]
    print(max(event["args"]["Total Allocated"] for event in events if event["name"] == "[memory]"))


if __name__ == "__main__":
    main()
