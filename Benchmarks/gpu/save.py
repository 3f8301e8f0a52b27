#!/usr/bin/env python3
"""Puts what `run` measured among the project's results: save.py FILE NAME

copies FILE to Benchmarks/results/NAME-gpu.json, and adds its rows beside PyTorch to NAME.json, .md and .svg there, as
`Benchmarks/peers/compare --save NAME` does with its own.
"""

import json
import shutil
import sys
from pathlib import Path

from peer_modules import results

PARTS = ("rows", "more rows")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    file, name = Path(sys.argv[1]), sys.argv[2]
    document = json.loads(file.read_text())
    parts = document["parts"]
    rows = [row for part in PARTS for row in parts.get(part, {}).get("figures") or [] if row.get("sides")]
    if not rows:
        sys.exit(f"save: {file} has no rows that were measured")
    about = parts["machine"]["figures"]
    machine = {key: about[key] for key in ("processor", "threads", "system")}
    saved = results.Results(name, machine | {"devices": parts["devices"]["figures"]})
    origin = {"commit": document["program"]["commit"], "command": document["command"]}
    for row in rows:
        row.pop("first_report")
        saved.add(row | origin)
    shutil.copyfile(file, results.FOLDER / f"{name}-gpu.json")
    print(f"{len(rows)} rows in {results.FOLDER}/{name}.json, .md and .svg; everything in {name}-gpu.json")


if __name__ == "__main__":
    main()
