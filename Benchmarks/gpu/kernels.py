"""Builds the kernels of rows, several programs at a time: a line of JSON each, with the seconds of the first step.

Compilers use one core each, so what follows does not wait for them one after the other.
"""

import argparse
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, as_completed


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="+", metavar="ROW", help="mode, model and batch size")
    parser.add_argument("--apus", required=True, help="the program")
    parser.add_argument("--device", required=True)
    parser.add_argument("--jobs", type=int, default=max(1, len(os.sched_getaffinity(0)) // 2))
    return parser.parse_args()


def built(row, options):
    mode, model, batch_size = row.split()
    start = time.monotonic()
    result = subprocess.run(
        [options.apus, "benchmark", "--json", "--steps", "1", "--device", options.device, "--mode", mode,
         "--model", model, "--batch-size", batch_size], capture_output=True, text=True)
    line = {"row": row, "seconds": round(time.monotonic() - start, 2)}
    if result.returncode != 0:
        return line | {"error": result.stderr.strip()[-500:], "exit": result.returncode}
    return line | {"first_step_seconds": json.loads(result.stdout)["first_step_seconds"]}


def main():
    options = arguments()
    with ThreadPoolExecutor(options.jobs) as pool:
        for future in as_completed([pool.submit(built, row, options) for row in options.rows]):
            print(json.dumps(future.result()), flush=True)


if __name__ == "__main__":
    main()
