"""One row on all sides, in short alternating rounds.

Each round runs every side once for the same number of steps; the order turns around from round to round. A ratio
is taken within a round, so that a machine that slows down for a while slows both sides. Medians are over rounds.
A round during which other processes kept more than a tenth of a core busy is repeated, up to three times as many
rounds as asked for.
"""

import statistics
import subprocess
import sys

from load import ForeignLoad
from peers import HERE
from worker import PARTS

QUIET_CORES = 0.1
# Of `apus benchmark`'s report, beside the speed.
FACTS = ("gflops", "fraction_of_peak", "peak_device_bytes", "first_step_seconds", "launches_per_step")


class Comparison:
    """`rounds[i][side]` is the report of side `pytorch`, `apus cpu`, ... in round i.

    `disturbed` has the rounds that shared their cores; they count only if there are no others.
    """

    # For each round that is asked for.
    attempts = 3

    def __init__(self, row, options, apus, workers):
        self.row, self.options, self.apus, self.workers = row, options, apus, workers
        self.sides = [*workers, *(f"apus {device}" for device in options.devices)]
        self.rounds, self.disturbed = [], []

    def run(self):
        row, options = self.row, self.options
        self.opened = {name: worker.ask("open", model=row.model, batch_size=row.batch_size, mode=row.mode,
                                        device=options.torch_device, trial_seconds=options.trial_seconds)
                       for name, worker in self.workers.items()}
        # Apus's first run also fills the kernel cache.
        slowest = min([
            *(report["images_per_second"] for report in self.opened.values()),
            *(self.apus.benchmark(row, device, PARTS)["images_per_second"]["median"] for device in options.devices)])
        self.steps = options.steps or max(PARTS, round(slowest * options.seconds / row.batch_size))
        attempt = 0
        while len(self.rounds) < options.rounds and attempt < self.attempts * options.rounds:
            self.round(reverse=attempt % 2 == 1)
            attempt += 1
        if not self.rounds:
            print(f"{row}: no round was undisturbed; measure again on a quiet machine", file=sys.stderr)

    def round(self, reverse):
        reports = {}
        with ForeignLoad([worker.process.pid for worker in self.workers.values()]) as load:
            for side in reversed(self.sides) if reverse else self.sides:
                if side in self.workers:
                    reports[side] = self.workers[side].ask("run", steps=self.steps)
                else:
                    reports[side] = self.apus.benchmark(self.row, side.removeprefix("apus "), self.steps)
        quiet = load.cores is None or load.cores <= QUIET_CORES
        (self.rounds if quiet else self.disturbed).append(reports)
        rates = ", ".join(f"{side} {reports[side]['images_per_second']['median']:,.0f}" for side in self.sides)
        note = "" if quiet else f" (disturbed: others kept {load.cores:.1f} cores busy)"
        print(f"{self.row} round {len(self.rounds)}/{self.options.rounds}: {rates}{note}", file=sys.stderr)

    def result(self):
        """What is saved of the row: medians over the rounds that count, ratios within rounds, and the rounds."""
        counted = self.rounds or self.disturbed
        sides = {}
        for side in self.sides:
            sides[side] = {"images_per_second": statistics.median(speed(reports, side) for reports in counted)}
            if side in self.workers:
                sides[side] |= {"variant": self.opened[side]["variant"], "variants": self.opened[side]["variants"]}
            else:
                for fact in FACTS:
                    values = [reports[side][fact] for reports in counted]
                    sides[side][fact] = None if None in values else statistics.median(values)
        ratios = {side: {peer: statistics.median(speed(reports, side) / speed(reports, peer) for reports in counted)
                         for peer in self.workers}
                  for side in self.sides if side not in self.workers}
        return {"mode": self.row.mode, "model": self.row.model, "batch_size": self.row.batch_size,
                "quiet": bool(self.rounds), "steps": self.steps, "sides": sides, "ratios": ratios,
                "rounds": [speeds(reports) for reports in self.rounds],
                "disturbed": [speeds(reports) for reports in self.disturbed]}


def speed(reports, side):
    return reports[side]["images_per_second"]["median"]


def speeds(reports):
    return {side: speed(reports, side) for side in reports}


def torch_memory(row, variant, environment):
    """Bytes that PyTorch's allocator has given out at once in training; see torch_memory.py."""
    command = [sys.executable, HERE / "torch_memory.py", row.model, str(row.batch_size), variant]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"compare: torch_memory.py failed on {row}:\n{result.stderr.strip()}")
    return int(result.stdout.split()[-1])
