"""The operation cases of the tests on one class of OpenCL kernels: prints as JSON how many passed and what failed.

    cases.py PROGRAM SECONDS      PROGRAM: the tests, as `pack --tests` builds them
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Against the reference, and the same bits twice; finite differences need no device.
WANTED = "OpTests/(matchesReference|isDeterministic)"
MOST_FAILURES = 100


def events(file):
    """What the test library wrote; the last line may have been cut off."""
    for line in file.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            return
        if event["kind"] == "event":
            yield event["payload"]


def outcome(file):
    """Cases that ended, the case that was last, and for each failure its case and what was said."""
    ended, last, failures = 0, None, []
    for event in events(file):
        text = " ".join(message["text"] for message in event.get("messages", []))
        if event["kind"] == "testCaseStarted":
            last = text
        elif event["kind"] == "testCaseEnded":
            ended += 1
        elif event["kind"] == "issueRecorded":
            failures.append({"case": last, "issue": text})
    return {"ended": ended, "last": last, "failure_count": len(failures), "failures": failures[:MOST_FAILURES]}


def main():
    program, seconds = sys.argv[1], float(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.json"
        command = [program, "--testing-library", "swift-testing", "--filter", WANTED,
                   "--event-stream-output-path", str(file)]
        try:
            status = subprocess.run(command, env=os.environ | {"APUS_TEST_BACKENDS": "opencl-gpu"}, timeout=seconds,
                                    stdout=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            status = "no time was left for the rest"
        print(json.dumps({"exit": status} | outcome(file)))
    sys.exit(0 if status == 0 or isinstance(status, str) else 1)


if __name__ == "__main__":
    main()
