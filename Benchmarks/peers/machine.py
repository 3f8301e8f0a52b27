"""The machine that is measured on: its cores, and what to say about it in a report."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from apus import ROOT


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


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def description(threads, devices):
    return {"processor": processor(), "threads": threads, "system": platform.platform(), "devices": devices}


def commit():
    """The checkout that is measured, None outside of one; changes to anything but results make it `-dirty`."""

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        name = git("describe", "--always")
        changes = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!Benchmarks/results", ":!README.md")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{name}-dirty" if changes else name
