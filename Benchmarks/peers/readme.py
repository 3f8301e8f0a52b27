"""The key figures of saved results in the project's README."""

import sys

from apus import ROOT
from tables import HEADINGS, key_table

FILE = ROOT / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def section(name, document):
    rows, machine = document["rows"], document["machine"]
    tables = [key_table(rows, mode) for mode in HEADINGS if any(row["mode"] == mode for row in rows)]
    dates = sorted({row["date"][:10] for row in rows})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return "\n\n".join([
        f"![Images per second of Apus and its peers](Benchmarks/results/{name}.svg)", *tables,
        f"Measured on {when}: {machine['processor']}, {machine['threads']} cores, float32. "
        f"[All figures](Benchmarks/results/{name}.md)."])


def update(name, document):
    """Replaces what stands between the two marks."""
    text = FILE.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"compare: {FILE} has no lines `{BEGIN}` and `{END}`, between which the figures go")
    FILE.write_text(f"{before}{BEGIN}\n{section(name, document)}\n{END}{after}")
