"""The long-lived peer process: one JSON request per line on standard input, one JSON reply per line.

    {"do": "about"}            -> {"versions": {...}}
    {"do": "open", "model", "batch_size", "mode", "device"}
                               -> {"variant": fastest, "images_per_second": x, "variants": {name: x}}
    {"do": "run", "steps": n}  -> {"images_per_second": {"min", "median", "max"}}
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time

PARTS = 5


def timed(run, steps, batch_size):
    """Images per second of each of PARTS equal parts of the steps."""
    rates = []
    for _ in range(PARTS):
        part = max(1, steps // PARTS)
        start = time.perf_counter()
        run(part)
        rates.append(part * batch_size / (time.perf_counter() - start))
    return rates


def serve(versions, variants):
    """Answers requests until standard input ends.

    `variants(model, batch_size, mode, device)` gives {name: run}, where `run(steps)` does that many steps and waits
    for them. The fastest variant of a model is the one that is measured.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not land among the replies
    for line in sys.stdin:
        request = json.loads(line)
        match request.pop("do"):
            case "about":
                reply = {"versions": versions}
            case "open":
                batch_size = request["batch_size"]
                rates = {}
                candidates = variants(**request)
                for run in candidates.values():
                    run(10)
                for _ in range(3):
                    for name, run in candidates.items():
                        rates.setdefault(name, []).extend(timed(run, 4 * PARTS, batch_size))
                medians = {name: statistics.median(values) for name, values in rates.items()}
                variant = max(medians, key=medians.get)
                run = candidates[variant]
                reply = {"variant": variant, "images_per_second": medians[variant], "variants": medians}
            case "run":
                values = timed(run, request["steps"], batch_size)
                reply = {"images_per_second": {"min": min(values), "median": statistics.median(values),
                                               "max": max(values)}}
        print(json.dumps(reply), file=replies, flush=True)


class Worker:
    """The other end: a peer process that is stopped (SIGSTOP) whenever it has nothing to do.

    A stopped process cannot spin: waiting OpenMP threads would take the cores from whoever runs next.
    """

    def __init__(self, script, environment):
        self.script = script
        self.process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self.versions = self.ask("about")["versions"]

    def ask(self, what, **arguments):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.script}: the peer ended with status {self.process.wait()}; its error is above")
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()
