"""Asks the driver the questions of card/probes, each in a process of its own: a line of JSON each.

    probes.py CARD FOLDER
"""

import json
import subprocess
import sys
from pathlib import Path

SECONDS = 15


def asked(card, file):
    try:
        result = subprocess.run([card, "probe", str(file)], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"no": f"no answer in {SECONDS} s"}
    if result.returncode != 0:
        return {"no": result.stderr.strip()[-600:], "exit": result.returncode}
    return json.loads(result.stdout)


def main():
    card, folder = sys.argv[1:]
    for file in sorted(Path(folder).iterdir()):
        print(json.dumps({"probe": file.name} | asked(card, file)), flush=True)


if __name__ == "__main__":
    main()
