"""Saved results: Benchmarks/results/NAME.json, which grows row by row, and NAME.md and NAME.svg drawn from it."""

import json
import sys

from apus import ROOT
from chart import chart
from rows import Row, place
from tables import page

FOLDER = ROOT / "Benchmarks" / "results"
# Rows that differ in these cannot stand in one table.
SAME = ("processor", "threads")


class Results:
    """The rows of one machine. A row that is measured again takes the place of the old one."""

    def __init__(self, name, machine):
        self.name, self.file = name, FOLDER / f"{name}.json"
        self.document = {"machine": machine, "rows": []}
        if not self.file.exists():
            return
        try:
            saved = json.loads(self.file.read_text())
            there = {key: saved["machine"][key] for key in SAME}
            self.document["rows"] = saved["rows"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            sys.exit(f"compare: {self.file} is not a file that compare saved ({error!r}); pass another name to --save")
        here = {key: machine[key] for key in SAME}
        if there != here:
            sys.exit(f"compare: {self.file} was measured on {there}, this is {here}; pass another name to --save")

    def add(self, row):
        """Puts the row in its place and writes all files, so that an interrupted suite keeps what it has."""
        rows = [other for other in self.document["rows"] if key(other) != key(row)] + [row]
        self.document["rows"] = sorted(rows, key=lambda row: place(key(row)))
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.document, indent=2) + "\n")
        (FOLDER / f"{self.name}.md").write_text(page(self.name, self.document))
        (FOLDER / f"{self.name}.svg").write_text(chart(self.document))


def key(row):
    return Row(row["mode"], row["model"], row["batch_size"])
