"""Results as Markdown."""

from peers import PEERS, USUAL

MEGABYTE = 1e6
HEADINGS = {"train": "Training", "infer": "Inference"}


def title(side):
    return PEERS[side].title if side in PEERS else f"Apus `{side.removeprefix('apus ')}`"


def measured(rows, mode):
    """The rows of a mode, and the Apus devices and peers that any of them has, in the order of the first."""
    rows = [row for row in rows if row["mode"] == mode]
    sides = list(dict.fromkeys(side for row in rows for side in row["sides"]))
    return rows, [side for side in sides if side not in PEERS], [name for name in PEERS if name in sides]


def table(heads, rows):
    """Markdown; all columns but the first are numbers."""
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def speed_table(rows, mode):
    rows, devices, peers = measured(rows, mode)
    pairs = [(device, peer) for peer in peers for device in devices]
    heads = ["network", "batch", *map(title, devices + peers),
             *(f"{title(device)} / {title(peer)}" for device, peer in pairs)]
    lines = []
    for row in rows:
        sides, ratios = row["sides"], row["ratios"]
        line = [name(row), str(row["batch_size"])]
        line += [number(sides.get(side, {}).get("images_per_second")) for side in devices + peers]
        line += [number(ratios.get(device, {}).get(peer), ".2f") for device, peer in pairs]
        lines.append(line)
    return table(heads, lines)


def key_table(rows, mode):
    """Rates alone, with the ratio to the mode's yardstick beside those of Apus."""
    yardstick = USUAL[mode][0]
    rows, devices, peers = measured(rows, mode)
    lines = []
    for row in rows:
        line = [name(row), str(row["batch_size"])]
        for side in devices + peers:
            rate = number(row["sides"].get(side, {}).get("images_per_second"))
            ratio = row["ratios"].get(side, {}).get(yardstick)
            line.append(rate if ratio is None else f"{rate} ({ratio:.2f}x)")
        lines.append(line)
    return table([f"{HEADINGS[mode].lower()}, images/s", "batch", *map(title, devices + peers)], lines)


def latencies(rows):
    """One line for each row of single pictures."""
    for row in rows:
        if row["batch_size"] == 1 and row["mode"] == "infer":
            times = (f"{title(side)} {1e6 / report['images_per_second']:,.0f} us"
                     for side, report in row["sides"].items())
            yield f"One picture through {name(row)} takes {', '.join(times)}."


def machine_table(rows):
    """How well the devices are used: share of the measured peak of fused multiply-adds, memory, first step."""
    rows, devices, peers = measured(rows, "train")
    heads = ["network", "batch", *(f"{title(device)}, of peak" for device in devices),
             *(f"{title(side)}, MB" for side in devices + ["pytorch"] if side in devices + peers),
             *(f"{title(device)}, first step s" for device in devices)]
    lines = []
    for row in rows:
        sides = row["sides"]
        line = [name(row), str(row["batch_size"])]
        line += [number(sides.get(device, {}).get("fraction_of_peak"), ".2f") for device in devices]
        line += [number(megabytes(sides.get(device, {}).get("peak_device_bytes"))) for device in devices]
        if "pytorch" in peers:
            line.append(number(megabytes(sides.get("pytorch", {}).get("peak_bytes"))))
        line += [number(sides.get(device, {}).get("first_step_seconds"), ".2f") for device in devices]
        lines.append(line)
    return table(heads, lines)


def name(row):
    return row["model"] if row["quiet"] else f"{row['model']} (disturbed)"


def number(value, form=",.0f"):
    return "-" if value is None else format(value, form)


def megabytes(count):
    return None if count is None else count / MEGABYTE


def page(title, document):
    """The whole page that is saved."""
    rows, machine = document["rows"], document["machine"]
    parts = [f"# {title}", f"![Speed beside the peers]({title}.svg)",
             "Images per second: medians over rounds. A quotient is the median of the rounds' quotients. "
             f"All sides on the same {machine['threads']} cores, float32; see [how](../peers/README.md)."]
    for mode, heading in HEADINGS.items():
        if any(row["mode"] == mode for row in rows):
            parts += [f"## {heading}", speed_table(rows, mode), *latencies(row for row in rows if row["mode"] == mode)]
    if any(row["mode"] == "train" for row in rows):
        parts += ["## Training: use of the device", machine_table(rows),
                  "Of peak: convolutions and products against the measured rate of fused multiply-adds. Memory is the "
                  "most that was allocated at once, as Apus counts it on the device (with four batches of uint8 "
                  "pictures) and as PyTorch's profiler records its allocator (with one batch of float32 pictures); "
                  "what oneDNN allocates for itself in PyTorch is not in its figure. First step: from the start of "
                  "the process, with a filled kernel cache."]
    parts += ["## Measured", origins(rows, machine)]
    return "\n\n".join(parts) + "\n"


def origins(rows, machine):
    """Where, when and with what the rows were measured; rows of the same call share a line."""
    lines = [f"- {machine['processor']}, {machine['threads']} threads, {machine['system']}"]
    lines += [f"- {device['identifier']}: {device['name']}, {device['driver']}" for device in machine["devices"]]
    versions = {}
    for row in rows:
        for package, version in row["versions"].items():
            versions.setdefault(package, {})[version] = None
    lines.append("- " + ", ".join(f"{package} {' and '.join(found)}" for package, found in sorted(versions.items())))
    calls = dict.fromkeys((row["date"][:10], row["commit"], row["command"]) for row in rows)
    lines += [f"- {date}, commit {commit}: `{command}`" for date, commit, command in calls]
    return "\n".join(lines)
