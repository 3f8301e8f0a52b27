"""Runs the parts one after the other and writes what came out as one JSON file, anew after each part. See `run`."""

import argparse
import datetime
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from parts import HERE, LIMIT, Setting, parts

# Less time than this is not worth a part's start.
LEAST_SECONDS = 5
TAIL = 2000


def arguments():
    folder = os.environ.get("OUT")
    parser = argparse.ArgumentParser(prog="run", description="Measures Apus on this machine's GPU.")
    parser.add_argument("file", nargs="?", type=Path, default=Path(folder or ".") / "gpu.json",
                        help="where the figures go (default: $OUT/gpu.json, else gpu.json here)")
    parser.add_argument("--quick", action="store_true", help="less work a part: for a processor in the GPU's place")
    parser.add_argument("--seconds", type=float, default=350, help="of all parts together (default: 350)")
    parser.add_argument("--device", default="opencl", help="as `apus devices` names them (default: opencl)")
    parser.add_argument("--threads", type=int, default=min(8, len(os.sched_getaffinity(0))),
                        help="cores that all sides are confined to (default: at most 8)")
    parser.add_argument("--only", metavar="PARTS", help="comma-separated names")
    parser.add_argument("--list", action="store_true", help="name the parts and end")
    return parser.parse_args()


def figures(part, output):
    """The part's JSON, or its lines of JSON; the last may have been cut off."""
    if not part.lines:
        return json.loads(output) if output.strip() else None
    found = []
    for line in output.splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            found.append({"cut_off": line[-TAIL:]})
    return found


def measured(part, limit):
    """Runs a part's command, and ends it and all that it started when its time is over."""
    start = time.monotonic()
    command = [str(round(limit - 4)) if argument == LIMIT else argument for argument in part.command]
    result = {"about": part.about, "command": shlex.join(command), "limit": round(limit, 1)}
    # Files, not pipes: what a stopped command wrote is kept, and nobody waits for a pipe that a child holds open.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       start_new_session=True)
        except OSError as error:
            return result | {"status": "failed", "seconds": 0, "error": str(error)}
        try:
            status = process.wait(timeout=limit)
            result |= {"status": "ok" if status == 0 else "failed", "exit": status}
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            result |= {"status": "timed out", "exit": process.wait()}
        result["seconds"] = round(time.monotonic() - start, 2)
        out.seek(0)
        err.seek(0)
        output, errors = out.read(), err.read()
    try:
        result["figures"] = figures(part, output)
    except json.JSONDecodeError:
        result["output"] = output[-TAIL:]
        if result["status"] == "ok":
            result["status"] = "failed"
    if errors.strip():
        result["stderr"] = errors[-TAIL:]
    return result


def write(file, document):
    """At once or not at all, so that whoever ends the run leaves a whole file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps(document, indent=1) + "\n")
    part.replace(file)


def main():
    options = arguments()
    work = Path(os.environ.get("APUS_GPU_WORK", "."))
    chosen = parts(Setting(work, options.device, options.quick, options.threads))
    if options.list:
        for part in chosen:
            print(f"{part.name:17} {part.limit:4.0f} s  {part.about}")
        return
    if options.only:
        wanted = [name.strip() for name in options.only.split(",")]
        unknown = [name for name in wanted if name not in [part.name for part in chosen]]
        if unknown:
            sys.exit(f"run: there is no part {', '.join(unknown)}; --list names them")
        chosen = [part for part in chosen if part.name in wanted]
    begin = time.monotonic()
    document = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(["Benchmarks/gpu/run", *sys.argv[1:]]),
        "program": json.loads((HERE / "program.json").read_text()),
        "opencl": os.environ.get("APUS_GPU_OPENCL"),
        "environment": {name: value for name, value in os.environ.items() if name.startswith(("APUS_", "POCL_", "CUDA_"))},
        "quick": options.quick, "device": options.device, "parts": {},
    }
    lacking = None
    for part in chosen:
        left = options.seconds - (time.monotonic() - begin)
        if lacking or left < LEAST_SECONDS:
            result = {"about": part.about, "status": "skipped", "seconds": 0, "error": lacking or "no time was left"}
        else:
            result = measured(part, min(part.limit, left))
        if part.vital and result["status"] != "ok":
            lacking = f"{part.name} {result['status']}"
        document["parts"][part.name] = result
        document["seconds"] = round(time.monotonic() - begin, 1)
        write(options.file, document)
        print(f"{part.name}: {result['status']}, {result['seconds']} s", flush=True)
        for line in summary(part, result):
            print(f"  {line}", flush=True)
    print(f"{options.file}: {document['seconds']} s in all")
    sys.exit(1 if lacking else 0)


def summary(part, result):
    """What is worth to be seen at once, for whoever has only the terminal."""
    found = result.get("figures")
    if result["status"] == "failed":
        yield (result.get("error") or result.get("stderr", "").strip()[-300:]).replace("\n", " | ")
    if part.name.startswith("card") and found:
        yield json.dumps(found)[:400]
    for figure in found if part.lines and found else []:
        if "ratios" in figure:
            rates = ", ".join(f"{side} {about['images_per_second']:,.0f}" for side, about in figure["sides"].items())
            ratios = ", ".join(f"{ratio:.2f} of {peer}" for side in figure["ratios"].values()
                               for peer, ratio in side.items())
            yield f"{figure['mode']} {figure['model']} {figure['batch_size']}: {rates}; {ratios or 'alone'}"
        elif "microseconds" in figure:
            yield f"{figure['operation']}: {figure['gflops']:,.0f} GFLOP/s, {figure['microseconds']:,.1f} us"
        elif "float32" in figure:
            yield f"{figure['operation']}: {figure['float32']:,.0f}, with TF32 {figure.get('tf32', 0):,.0f} GFLOP/s"
        elif "error" in figure:
            yield json.dumps(figure)[:300]


if __name__ == "__main__":
    main()
