"""A whole training with `apus train`: prints its history as JSON.

    training.py PROGRAM DEVICE WORK DATA OPTION...
"""

import json
import subprocess
import sys
import time
from pathlib import Path

program, device, work, *data = sys.argv[1:]
folder = Path(work) / "training"
start = time.monotonic()
status = subprocess.run([program, "train", *data, "--device", device, "--output", str(folder), "--quiet"],
                        stdout=sys.stderr).returncode
if status != 0:
    sys.exit(status)
history = json.loads((folder / "history.json").read_text())
print(json.dumps({"seconds": round(time.monotonic() - start, 2), "history": history}))
