#!/usr/bin/env python3
"""Runs the same networks in Apus, PyTorch, Keras and ONNX Runtime, in short alternating rounds on the same cores.

    compare --suite                                              all that the README shows
    compare --models tutorial-cifar --batch-sizes 64,256         some networks
    compare --mode infer --models resnet50 --peers onnxruntime   inference
"""

import argparse
import datetime
import platform
import shlex
import sys

import machine
import readme
from apus import Apus
from comparison import Comparison, torch_memory
from models import MODELS
from peers import PEERS, USUAL, install, peers_of, running
from results import FOLDER, Results
from rows import MODES, SUITE, Row, place, usual_batch_size
from tables import HEADINGS, latencies, speed_table


def words(text):
    return [word.strip() for word in text.split(",") if word.strip()]


def arguments():
    parser = argparse.ArgumentParser(prog="compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_argument_group("what is measured")
    what.add_argument("--models", type=words, metavar="NAMES", help=f"comma-separated, of {', '.join(MODELS)}")
    what.add_argument("--mode", choices=MODES, help="default: train")
    what.add_argument("--batch-sizes", type=words, metavar="NUMBERS", help="default: 64, 8 for pictures of 224x224")
    what.add_argument("--suite", action="store_true", help="the rows of the README instead, saved as `suite`")
    what.add_argument("--only", type=words, metavar="PATTERNS",
                      help="of these rows, those with all words of a pattern: `resnet18`, `train tutorial-* 64`")
    what.add_argument("--devices", type=words, default="cpu,opencl", help="Apus devices (default: cpu,opencl)")
    what.add_argument("--peers", type=words, metavar="NAMES",
                      help=f"of {', '.join(PEERS)} (default: {','.join(USUAL['train'])} in training, "
                           f"{','.join(USUAL['infer'])} in inference)")
    how = parser.add_argument_group("how")
    how.add_argument("--rounds", type=int, default=5)
    how.add_argument("--seconds", type=float, default=2, help="of the slowest side in a round (default: 2)")
    how.add_argument("--steps", type=int, help="steps in a round, instead of --seconds")
    how.add_argument("--threads", type=int, default=2, help="cores that all sides are confined to (default: 2)")
    how.add_argument("--trial-seconds", type=float, default=0.25, help="of each variant of a peer, of which the "
                     "fastest is measured (default: 0.25)")
    how.add_argument("--torch-device", default="cpu", help="cpu, cuda, ...")
    parser.add_argument("--save", metavar="NAME",
                        help="add the rows to Benchmarks/results/NAME.json and draw NAME.md and NAME.svg from it")
    parser.add_argument("--readme", action="store_true", help="put the saved results' key figures into README.md")
    options = parser.parse_args()
    check(options, parser)
    return options


def check(options, parser):
    """Refuses what cannot be measured, and settles `options.rows`."""
    for option, given, known in (("--models", options.models, MODELS), ("--peers", options.peers, PEERS)):
        for name in given or []:
            if name not in known:
                parser.error(f"{option}: there is no {name}; choose of {', '.join(known)}")
    for name in ("rounds", "seconds", "threads", "steps", "trial_seconds"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            parser.error(f"--{name.replace('_', '-')} must be more than 0, not {value}")
    if not options.devices:
        parser.error("--devices names no device")
    if options.suite:
        if options.models or options.mode or options.batch_sizes:
            parser.error("--suite has its own rows; choose among them with --only")
        options.rows = list(SUITE)
        options.save = options.save or "suite"
    else:
        options.rows = asked_for(options, parser)
    if options.readme and not options.save:
        parser.error("--readme shows saved results; add --save NAME or --suite")
    if options.only:
        options.rows = [row for row in options.rows if any(row.matches(pattern) for pattern in options.only)]
    if not options.rows:
        parser.error(f"no row matches --only {','.join(options.only)}")
    for row in options.rows:
        if not peers_of(row, options.peers):
            parser.error(f"{row}: none of {', '.join(options.peers)} has mode {row.mode}")


def asked_for(options, parser):
    mode = options.mode or "train"
    for text in options.batch_sizes or []:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            parser.error(f"--batch-sizes: {text} is not a whole number above 0")
    return [Row(mode, model, int(batch_size)) for model in options.models or ["tutorial-mnist", "tutorial-cifar"]
            for batch_size in options.batch_sizes or [usual_batch_size(model)]]


def measure(row, options, apus, workers):
    """The row as it is saved, without when and with what it was measured."""
    comparison = Comparison(row, options, apus, {name: workers[name] for name in peers_of(row, options.peers)})
    comparison.run()
    result = comparison.result()
    torch = result["sides"].get("pytorch")
    if row.mode == "train" and torch and options.torch_device == "cpu":
        torch["peak_bytes"] = torch_memory(row, torch["variant"], apus.environment)
    return result


def main():
    options = arguments()
    names = [name for name in PEERS if any(name in peers_of(row, options.peers) for row in options.rows)]
    install(names)
    environment = machine.confined_environment(options.threads)
    apus = Apus(environment)
    about = machine.description(options.threads, apus.devices())
    results = Results(options.save, about) if options.save else None
    origin = {"commit": machine.commit(), "command": shlex.join(["Benchmarks/peers/compare", *sys.argv[1:]])}
    rows = []
    with running(names, environment) as workers:
        for row in sorted(options.rows, key=place):
            result = measure(row, options, apus, workers)
            versions = {"python": platform.python_version()}
            for name in peers_of(row, options.peers):
                versions |= workers[name].versions
            date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
            rows.append(result | {"date": date, **origin, "versions": versions})
            if results:
                results.add(rows[-1])
    for mode in HEADINGS:
        if any(row["mode"] == mode for row in rows):
            print(f"{HEADINGS[mode]}\n\n{speed_table(rows, mode)}\n")
    for line in latencies(rows):
        print(line)
    if results:
        if options.readme:
            readme.update(results.name, results.document)
        print(f"Saved as {results.name}.json, .md and .svg in {FOLDER}", file=sys.stderr)


if __name__ == "__main__":
    main()
