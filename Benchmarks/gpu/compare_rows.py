"""Rows of the comparison on one device beside PyTorch: a line of JSON each, in the form that `compare` saves.

    compare_rows.py --apus PROGRAM --device opencl 'train tutorial-mnist 64' ...

A row that fails or takes too long costs only itself: its line has an error instead of figures. On a CUDA device
PyTorch is there twice, with float32 alone and with TF32. Without PyTorch, and with --alone, Apus is alone.
"""

import argparse
import datetime
import importlib.util
import json
import os
import platform
import signal
import sys

from peer_modules import apus, comparison, machine, models, peers, rows


class TooLong(Exception):
    pass


class Rounds(comparison.Comparison):
    """A busy host takes little from a GPU and time is short: no round is repeated, but the disturbed ones are told."""

    attempts = 1


class Program(apus.Apus):
    """Remembers the first report: the first step then has the kernels to build that are not built yet."""

    first = None

    def benchmark(self, row, device, steps):
        report = super().benchmark(row, device, steps)
        self.first = self.first or report
        return report


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", metavar="ROW", help="mode, model and batch size")
    parser.add_argument("--apus", required=True, help="the program")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.4, help="of the slowest side in a round")
    parser.add_argument("--trial-seconds", type=float, default=0.1)
    parser.add_argument("--row-limit", type=float, default=60, help="seconds that a row may take")
    parser.add_argument("--alone", action="store_true", help="without PyTorch")
    options = parser.parse_args()
    options.devices, options.steps = [options.device], None
    return options


def parsed(text):
    mode, model, batch_size = text.split()
    return rows.Row(mode, model, int(batch_size))


def peer_names(options):
    """The PyTorch sides to measure, and what PyTorch calls the device."""
    if options.alone or any(importlib.util.find_spec(name) is None for name in ("torch", "torchvision")):
        return [], None
    import torch

    return (["pytorch", "pytorch-tf32"], "cuda") if torch.cuda.is_available() else (["pytorch"], "cpu")


class Sides:
    """The peers' processes, started when they are wanted and ended for good after a failure."""

    def __init__(self, names, environment):
        self.names, self.environment = names, environment
        self.workers = {}

    def running(self):
        for name in self.names:
            if name not in self.workers:
                self.workers[name] = peers.started(name, self.environment)
        return self.workers

    def end(self):
        for worker in self.workers.values():
            worker.process.kill()
            worker.process.wait()
        self.workers = {}


def measure(row, options, environment, sides):
    program = Program(environment)
    workers = sides.running() if row.model in models.MODELS else {}
    one = Rounds(row, options, program, workers)
    one.run()
    versions = {"python": platform.python_version()}
    for worker in workers.values():
        versions |= worker.versions
    return one.result() | {"versions": versions, "first_report": program.first}


def main():
    options = arguments()
    os.environ["APUS"] = options.apus
    names, options.torch_device = peer_names(options)
    environment = machine.confined_environment(options.threads)
    sides = Sides(names, environment)

    def stop(*_):
        raise TooLong(f"the row took more than {options.row_limit:.0f} s")

    signal.signal(signal.SIGALRM, stop)
    failed = False
    for row in map(parsed, options.rows):
        signal.setitimer(signal.ITIMER_REAL, options.row_limit)
        try:
            result = measure(row, options, environment, sides)
        # The comparison's modules end the program where they cannot go on, with the reason.
        except (Exception, SystemExit) as error:
            failed = True
            result = {"mode": row.mode, "model": row.model, "batch_size": row.batch_size,
                      "error": f"{type(error).__name__}: {error}"}
            sides.end()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        print(json.dumps(result | {"date": date}), flush=True)
    sides.end()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
