"""The long-lived peer process: one JSON request per line on standard input, one JSON reply per line.

    {"do": "about"}            -> {"versions": {...}}
    {"do": "open", "model", "batch_size", "mode", "device", "trial_seconds"}
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
TRIALS = 3


def seconds_of(run, steps):
    start = time.perf_counter()
    run(steps)
    return time.perf_counter() - start


def timed(run, steps, batch_size, parts):
    """Images per second of each of the equal parts of the steps."""
    part = max(1, steps // parts)
    return [part * batch_size / seconds_of(run, part) for _ in range(parts)]


def warmed_up(run, trial_seconds):
    """Runs until a trial's worth of steps is known, and gives that number."""
    run(2)
    steps = 1
    while seconds_of(run, steps) < trial_seconds:
        steps *= 2
    return steps


def fastest(candidates, batch_size, trial_seconds):
    """The reply to "open": the variants of a model in alternating trials."""
    steps = {name: warmed_up(run, trial_seconds) for name, run in candidates.items()}
    rates = {name: [] for name in candidates}
    for _ in range(TRIALS):
        for name, run in candidates.items():
            rates[name] += timed(run, steps[name], batch_size, parts=1)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    variant = max(medians, key=medians.get)
    return {"variant": variant, "images_per_second": medians[variant], "variants": medians}


def serve(versions, variants, parts=PARTS):
    """Answers requests until standard input ends.

    `variants(model, batch_size, mode, device)` gives {name: run}, where `run(steps)` does that many steps and waits
    for them. The fastest variant of a model is the one that is measured, in so many parts.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not land among the replies
    candidates, run = {}, None
    for line in sys.stdin:
        request = json.loads(line)
        match request.pop("do"):
            case "about":
                reply = {"versions": versions}
            case "open":
                batch_size, trial_seconds = request["batch_size"], request.pop("trial_seconds")
                candidates, run = {}, None  # the last model goes before the next one comes
                candidates = variants(**request)
                reply = fastest(candidates, batch_size, trial_seconds)
                run = candidates[reply["variant"]]
                candidates = {}
            case "run":
                values = timed(run, request["steps"], batch_size, parts)
                reply = {"images_per_second": {"min": min(values), "median": statistics.median(values),
                                               "max": max(values)}}
        print(json.dumps(reply), file=replies, flush=True)


class Worker:
    """The other end: a peer process that is stopped (SIGSTOP) whenever it has nothing to do.

    A stopped process cannot spin: waiting OpenMP threads would take the cores from whoever runs next.
    """

    def __init__(self, script, environment, arguments=()):
        self.script = script
        self.process = subprocess.Popen([sys.executable, script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self.versions = self.ask("about")["versions"]

    def ask(self, what, **arguments):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"{self.script}: the peer ended with status {self.process.wait()}; its error is above")
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()
