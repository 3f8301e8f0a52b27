"""How much of the machine everyone else used: a round that shared its cores is not a measurement.

Peers whose threads wait for each other at every layer lose far more than the cores that were taken from them, so
even a small foreign load would flatter one side.
"""

import os
import resource
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """CPU seconds that all processors were busy or stolen since boot; None where /proc/stat does not exist."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def process_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def own_seconds(workers):
    """CPU seconds of this process, its finished children and its running workers."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usages) + sum(process_seconds(pid) for pid in workers)


class ForeignLoad:
    """Cores that other processes kept busy on average within the `with` block, as `.cores`; None if unknown."""

    def __init__(self, workers):
        self.workers = workers
        self.cores = None

    def __enter__(self):
        self.start = time.monotonic(), busy_seconds()
        if self.start[1] is not None:
            self.own = own_seconds(self.workers)
        return self

    def __exit__(self, *_):
        began, busy = self.start
        if busy is not None:
            foreign = busy_seconds() - busy - (own_seconds(self.workers) - self.own)
            self.cores = max(0.0, foreign / (time.monotonic() - began))
