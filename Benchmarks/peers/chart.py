"""Results as a bar chart in SVG: a column for training and one for inference, a group of bars for each row.

A bar's length is the speed against the column's yardstick (PyTorch, ONNX Runtime), its label the images per second.
Colours are of middle lightness, so that one file reads well on a white and on a black page.
"""

from html import escape

from peers import PEERS, USUAL
from tables import HEADINGS

TEXT = "#7a7f87"
APUS_COLORS = ("#e8590c", "#f59f4c", "#c2410c")
PEER_COLORS = {"pytorch": "#5b7fb4", "pytorch-tf32": "#7fa8c9", "keras": "#9179b8", "onnxruntime": "#3f9488"}
WIDTH, MARGIN, GUTTER, LABEL = 860, 10, 40, 96
BAR, BAR_STEP, GROUP_HEAD, GROUP_GAP = 10, 13, 15, 9
HEAD = 62


class Column:
    """The rows of one mode that have been measured against the mode's yardstick."""

    def __init__(self, rows, mode):
        self.heading, self.yardstick = HEADINGS[mode], USUAL[mode][0]
        self.rows = [row for row in rows if row["mode"] == mode and self.yardstick in row["sides"]]
        self.longest = max((value for row in self.rows for _, value, _ in bars(row, self.yardstick)), default=1)

    @property
    def height(self):
        return sum(GROUP_HEAD + BAR_STEP * len(row["sides"]) + GROUP_GAP for row in self.rows)


def bars(row, yardstick):
    """Side, speed against the yardstick and images per second; Apus first. Ratios are those taken within rounds."""
    sides, ratios = row["sides"], row["ratios"]
    unit = sides[yardstick]["images_per_second"]
    apus = [(side, ratios[side][yardstick], sides[side]["images_per_second"]) for side in sides if side not in PEERS]
    peers = [(side, sides[side]["images_per_second"] / unit, sides[side]["images_per_second"])
             for side in PEERS if side in sides]
    return apus + peers


def colors(columns):
    """A colour for each side that occurs, in the order of the legend."""
    sides = dict.fromkeys(side for column in columns for row in column.rows for side, *_ in bars(row, column.yardstick))
    apus = [side for side in sides if side not in PEERS]
    return ({side: APUS_COLORS[index % len(APUS_COLORS)] for index, side in enumerate(apus)}
            | {side: color for side, color in PEER_COLORS.items() if side in sides})


def text(x, y, content, size=11, weight="normal", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
            f'text-anchor="{anchor}">{escape(content)}</text>')


def rectangle(x, y, width, height, color):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="1.5" fill="{color}"/>'


def legend(palette):
    x = MARGIN
    for side, color in palette.items():
        title = PEERS[side].title if side in PEERS else side.replace("apus", "Apus")
        yield rectangle(x, 10, 10, 10, color)
        yield text(x + 15, 19, title)
        x += 30 + 6.2 * len(title)


def drawn(column, palette, left, width):
    """A column: its heading and its groups."""
    unit = (width - LABEL) / column.longest
    yield text(left, 46, column.heading, size=13, weight="bold")
    yield text(left + width, 46, f"images/s (x {PEERS[column.yardstick].title})", anchor="end")
    y = HEAD
    for row in column.rows:
        yield text(left, y + 10, f"{row['model']}, batch {row['batch_size']}")
        y += GROUP_HEAD
        for side, ratio, rate in bars(row, column.yardstick):
            yield rectangle(left, y, ratio * unit, BAR, palette[side])
            label = f"{rate:,.0f}" if side == column.yardstick else f"{rate:,.0f} ({ratio:.2f}x)"
            yield text(left + ratio * unit + 5, y + BAR - 1, label, size=10.5)
            y += BAR_STEP
        y += GROUP_GAP


def chart(document):
    columns = [column for mode in HEADINGS if (column := Column(document["rows"], mode)).rows]
    palette = colors(columns)
    count = max(1, len(columns))
    width = (WIDTH - 2 * MARGIN - GUTTER * (count - 1)) / count
    height = HEAD + max((column.height for column in columns), default=0) + 4
    parts = [*legend(palette)]
    for index, column in enumerate(columns):
        parts += drawn(column, palette, MARGIN + index * (width + GUTTER), width)
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" fill="{TEXT}" '
            f'font-family="system-ui, -apple-system, \'Segoe UI\', Helvetica, Arial, sans-serif">\n'
            f"<title>Images per second of Apus and of its peers</title>\n{body}\n</svg>\n")
