"""Apus's side of the comparison: the program, one process for each measurement."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Apus:
    def __init__(self, environment):
        self.environment = environment
        self.program = os.environ.get("APUS") or built()

    def devices(self):
        return self.run("devices", "--json")

    def benchmark(self, row, device, steps):
        """`apus benchmark`'s report; inference gives each result before the next step, as its peers do."""
        synchronous = ["--synchronous"] if row.mode == "infer" else []
        return self.run("benchmark", "--model", row.model, "--batch-size", str(row.batch_size), "--device", device,
                        "--mode", row.mode, "--steps", str(steps), *synchronous, "--json")

    def run(self, *arguments):
        command = [self.program, *arguments]
        try:
            result = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        except OSError as error:
            sys.exit(f"compare: cannot run {command[0]} ({error.strerror}); APUS names the program to measure")
        if result.returncode != 0:
            sys.exit(f"compare: `{shlex.join(command)}` ended with status {result.returncode}:\n"
                     f"{result.stderr.strip()}")
        try:
            return json.loads(result.stdout)
        except json.JSONDecodeError as error:
            sys.exit(f"compare: `{shlex.join(command)}` did not print JSON ({error}):\n{result.stdout.strip()[:500]}")


def built():
    program = ROOT / ".build" / "release" / "apus"
    if not program.exists():
        print("Building apus (release) ...", file=sys.stderr)
        build = ["swift", "build", "-c", "release", "--product", "apus"]
        try:
            status = subprocess.run(build, cwd=ROOT, stdout=sys.stderr).returncode
        except FileNotFoundError:
            sys.exit("compare: there is no `swift` on the path; install Swift, or name an apus program in APUS")
        if status != 0:
            sys.exit(f"compare: `{shlex.join(build)}` failed in {ROOT}; its errors are above")
    return str(program)
