#!/usr/bin/env python3
"""Trains the same networks in Apus and in PyTorch (and Keras), in short alternating rounds on the same cores.

Each round runs every side once for the same number of steps; the order turns around from round to round. A ratio
is taken within a round, so that a machine that slows down for a while slows both sides. Medians are over rounds.
A round during which other processes kept more than a tenth of a core busy is repeated, up to three times as many
rounds as asked for.
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from load import ForeignLoad
from models import MODELS
from worker import Worker

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULTS = ROOT / "Benchmarks" / "results"
QUIET_CORES = 0.1


def arguments():
    parser = argparse.ArgumentParser(prog="compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="tutorial-mnist,tutorial-cifar", help="comma-separated, or `all`")
    parser.add_argument("--devices", default="cpu,opencl", help="Apus devices, comma-separated")
    parser.add_argument("--torch-device", default="cpu", help="cpu, cuda, ...")
    parser.add_argument("--mode", choices=["train", "infer"], default="train")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, help="steps per round (default: about --seconds in PyTorch)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a round when --steps is not given")
    parser.add_argument("--threads", type=int, default=2, help="cores that all sides are confined to")
    parser.add_argument("--keras", action="store_true", help="measure Keras (TensorFlow) too")
    parser.add_argument("--save", metavar="NAME", help="write Benchmarks/results/NAME.json and NAME.md")
    options = parser.parse_args()
    options.models = list(MODELS) if options.models == "all" else options.models.split(",")
    options.devices = options.devices.split(",")
    for model in options.models:
        if model not in MODELS:
            parser.error(f"no model {model}; there are {', '.join(MODELS)}")
    for name in ("batch_size", "rounds", "threads"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    return options


def confined_environment(threads):
    """Pins this process, and with it all sides, to `threads` cores, and says so to the runtimes that ask."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < threads:
            sys.exit(f"compare: {threads} threads asked for, {len(cores)} cores allowed; pass --threads {len(cores)}")
        os.sched_setaffinity(0, cores[:threads])
    # pocl up to 3 reads the second name, from 4 on the third.
    names = ("OMP_NUM_THREADS", "POCL_MAX_PTHREAD_COUNT", "POCL_CPU_MAX_CU_COUNT")
    return os.environ | {name: str(threads) for name in names}


def apus_program():
    if "APUS" in os.environ:
        return os.environ["APUS"]
    program = ROOT / ".build" / "release" / "apus"
    if not program.exists():
        print("Building apus (release) ...", file=sys.stderr)
        build = ["swift", "build", "-c", "release", "--product", "apus"]
        if subprocess.run(build, cwd=ROOT, stdout=sys.stderr).returncode != 0:
            sys.exit(f"compare: `{shlex.join(build)}` failed in {ROOT}; its errors are above")
    return str(program)


def run_apus(command, environment):
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"compare: cannot run {command[0]} ({error.strerror}); APUS names the program to measure")
    if result.returncode != 0:
        sys.exit(f"compare: `{shlex.join(command)}` ended with status {result.returncode}:\n{result.stderr.strip()}")
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError as error:
        sys.exit(f"compare: `{shlex.join(command)}` did not print JSON ({error}):\n{result.stdout.strip()[:500]}")


class Comparison:
    """One model on all sides; `rounds[i][side]` is the median of images per second in round i.

    `disturbed` has the rounds that shared their cores; they count only if there are no others.
    """

    def __init__(self, options, apus, environment, peers, model):
        self.options, self.model, self.peers = options, model, peers
        self.apus, self.environment = apus, environment
        self.rounds, self.disturbed, self.variants = [], [], {}

    def measure_apus(self, device, steps):
        options = self.options
        command = [self.apus, "benchmark", "--model", self.model, "--batch-size", str(options.batch_size),
                   "--device", device, "--mode", options.mode, "--steps", str(steps), "--json"]
        return run_apus(command, self.environment)

    def run(self):
        options = self.options
        for name, peer in self.peers.items():
            self.variants[name] = peer.ask("open", model=self.model, batch_size=options.batch_size, mode=options.mode,
                                           device=options.torch_device)
        rate = self.variants["pytorch"]["images_per_second"]
        self.steps = options.steps or max(10, round(rate * options.seconds / options.batch_size))
        for device in options.devices:
            self.measure_apus(device, 3)  # fills the kernel cache
        attempts = 0
        while len(self.rounds) < options.rounds and attempts < 3 * options.rounds:
            self.round(reverse=attempts % 2 == 1)
            attempts += 1
        if not self.rounds:
            print(f"{self.model}: no round was undisturbed; measure again on a quiet machine", file=sys.stderr)

    def round(self, reverse):
        sides = [*self.peers, *(f"apus {device}" for device in self.options.devices)]
        row = {}
        with ForeignLoad([peer.process.pid for peer in self.peers.values()]) as load:
            for side in reversed(sides) if reverse else sides:
                if side in self.peers:
                    report = self.peers[side].ask("run", steps=self.steps)
                else:
                    report = self.measure_apus(side.removeprefix("apus "), self.steps)
                row[side] = report["images_per_second"]["median"]
        quiet = load.cores is None or load.cores <= QUIET_CORES
        (self.rounds if quiet else self.disturbed).append(row)
        line = ", ".join(f"{side} {row[side]:,.0f}" for side in sides)
        note = "" if quiet else f" (disturbed: others kept {load.cores:.1f} cores busy)"
        print(f"{self.model} round {len(self.rounds)}/{self.options.rounds}: {line}{note}", file=sys.stderr)

    @property
    def counted(self):
        return self.rounds or self.disturbed

    def median(self, side):
        return statistics.median(row[side] for row in self.counted)

    def ratio(self, device, peer):
        return statistics.median(row[f"apus {device}"] / row[peer] for row in self.counted)

    def summary(self):
        rows = []
        for device in self.options.devices:
            row = {"model": self.model, "device": device, "rounds": len(self.counted),
                   "quiet": bool(self.rounds), "apus": self.median(f"apus {device}")}
            for peer in self.peers:
                row |= {peer: self.median(peer), f"ratio_{peer}": self.ratio(device, peer)}
            rows.append(row)
        return rows


def table(rows, peers):
    titles = {"pytorch": "PyTorch", "keras": "Keras"}
    columns = "".join(f" {titles[peer]} img/s | ratio |" for peer in peers)
    lines = [f"| model | device | rounds | Apus img/s |{columns}",
             "| --- | --- | ---: | ---: |" + " ---: | ---: |" * len(peers)]
    for row in rows:
        rounds = f"{row['rounds']}" if row["quiet"] else f"{row['rounds']} (disturbed)"
        cells = [row["model"], row["device"], rounds, f"{row['apus']:,.0f}"]
        for peer in peers:
            cells += [f"{row[peer]:,.0f}", f"{row[f'ratio_{peer}']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def output_of(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    options = arguments()
    environment = confined_environment(options.threads)
    apus = apus_program()
    about = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(["Benchmarks/peers/compare", *sys.argv[1:]]),
        "commit": output_of("git", "describe", "--always", "--dirty"),
        "processor": processor(),
        "system": platform.platform(),
        "threads": options.threads,
        "batch_size": options.batch_size,
        "mode": options.mode,
        "devices": run_apus([apus, "devices", "--json"], environment),
    }
    peers = {}
    try:
        peers["pytorch"] = Worker(HERE / "torch_worker.py", environment)
        if options.keras:
            peers["keras"] = Worker(HERE / "keras_worker.py", environment)
        about["versions"] = {"python": platform.python_version()}
        for peer in peers.values():
            about["versions"] |= peer.versions
        comparisons = []
        for model in options.models:
            comparison = Comparison(options, apus, environment, peers, model)
            comparison.run()
            comparisons.append(comparison)
    finally:
        for peer in peers.values():
            peer.close()

    rows = [row for comparison in comparisons for row in comparison.summary()]
    text = table(rows, list(peers))
    print(text)
    if options.save:
        RESULTS.mkdir(parents=True, exist_ok=True)
        details = {c.model: {"steps": c.steps, "variants": c.variants, "rounds": c.rounds, "disturbed": c.disturbed}
                   for c in comparisons}
        document = {"about": about, "summary": rows, "details": details}
        (RESULTS / f"{options.save}.json").write_text(json.dumps(document, indent=2) + "\n")
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        (RESULTS / f"{options.save}.md").write_text(
            f"# {options.save}\n\n{options.mode}, batch size {options.batch_size}, {options.threads} threads, "
            f"images per second: medians over rounds; ratio: the median of the rounds' ratios.\n\n"
            f"{text}\n\n- {about['date']}, commit {about['commit']}\n- {about['processor']}, {about['system']}\n"
            f"- {versions}\n- `{about['command']}`\n\nDevices, as `apus devices --json` lists them, and the single "
            f"rounds are in `{options.save}.json`.\n")


if __name__ == "__main__":
    main()
