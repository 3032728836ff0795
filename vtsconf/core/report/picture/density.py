"""Many servers: a row for each wave (or several together), with columns that say how many ended when, and how."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vtsconf.core.report.picture.canvas import LANE, Canvas
from vtsconf.core.report.picture.shape import AXIS, LEFT, RIGHT, WIDTH, Box, Figure, Text
from vtsconf.core.report.verdict import SAID, SHORT, look

ROWS = 32  # in all
_PAGE = 14  # rows in one figure, so that it fits on a page
_HEIGHT, _COLUMNS, _TOP = 50.0, 28.0, 16.0
_BIN = 5.0  # the width of a column
_QUIET = ("changed", "unchanged")  # drawn below the others
_LEAST = 2.0  # height of what went wrong, however few among thousands


@dataclass(frozen=True, kw_only=True)
class Band:
    """The servers of some waves. `waves` is empty for a run without waves."""

    waves: tuple[int, ...]
    title: str
    servers: Sequence[Mapping[str, Any]]

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(server["outcome"] for server in self.servers)


def density(canvas: Canvas) -> list[Figure]:
    """All figures of a run."""
    bands = _bands(canvas.document)
    parts = [bands[start : start + _PAGE] for start in range(0, len(bands), _PAGE)]
    return [_figure(canvas, part, number, len(parts)) for number, part in enumerate(parts, 1)]


def _bands(document: Mapping[str, Any]) -> list[Band]:
    by_wave: dict[int, list[Mapping[str, Any]]] = {}
    for server in document["servers"]:
        if server["wave"] or server["tries"]:
            by_wave.setdefault(server["wave"], []).append(server)
    numbers = sorted(by_wave)
    size = math.ceil(len(numbers) / ROWS)
    parts = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    canary = any(wave["canary"] for wave in document["waves"])
    return [
        Band(waves=tuple(part), title=_title(part, canary), servers=[s for n in part for s in by_wave[n]])
        for part in parts
    ]


def _title(numbers: Sequence[int], canary: bool) -> str:
    if numbers == [0]:
        return "Servers"
    if len(numbers) > 1:
        return f"Waves {numbers[0]}–{numbers[-1]}"
    return f"Wave {numbers[0]}{', canary' if canary and numbers[0] == 1 else ''}"


def _figure(canvas: Canvas, bands: Sequence[Band], number: int, total: int) -> Figure:
    part = f", part {number} of {total}" if total > 1 else ""
    about = "For each wave, how many servers ended when and how; the highest column of a row is as high as the row."
    figure = Figure(title=f"Timeline of run {canvas.document['run']}{part}", about=about)
    y = AXIS
    if number == 1:
        marks, texts = canvas.lane(y)
        figure.marks += marks
        figure.texts += texts
        y += LANE
    for band in bands:
        _band(figure, canvas, band, y)
        y += _HEIGHT
    return canvas.finish(figure, y + 16)


def _band(figure: Figure, canvas: Canvas, band: Band, y: float) -> None:
    figure.boxes.append(Box(x=0, y=y + 2, width=WIDTH, height=0.8, look="rule"))
    many = f"{len(band.servers):,} servers" if len(band.servers) != 1 else "1 server"
    figure.texts += [
        Text(x=0, y=y + 21, text=band.title, look="wave"),
        Text(x=0, y=y + 36, text=many, look="muted"),
        *_words(band, y),
    ]
    columns = list(_columns(canvas, band, y + _TOP))
    figure.boxes += columns
    if not columns:
        word = "never begun" if canvas.document["finished"] else "not begun"
        figure.texts.append(Text(x=LEFT + 4, y=y + 30, text=word, look="muted"))
    for wave in band.waves if len(band.waves) == 1 else ():
        soak, marks = canvas.gates(wave, y + 10)
        figure.boxes += soak
        figure.marks += marks


def _words(band: Band, y: float) -> Iterator[Text]:
    """The outcomes in words, the most frequent first; what has no room is the tooltip of the last."""
    told = [f"{count:,} {SHORT[outcome]}" for outcome, count in band.outcomes.most_common()]
    lines = told if len(told) <= 4 else [*told[:3], f"{told[3]}, …"]
    for index, line in enumerate(lines):
        yield Text(x=RIGHT + 8, y=y + 14 + index * 11, text=line, look="word", says=", ".join(told))


def _columns(canvas: Canvas, band: Band, y: float) -> Iterator[Box]:
    bins: dict[int, Counter[str]] = {}
    for server in band.servers:
        for one in server["tries"][-1:]:
            end = one["finished"] if one["finished"] is not None else canvas.now
            place = int((canvas.scale.x(end) - LEFT) / _BIN)
            bins.setdefault(place, Counter())[server["outcome"]] += 1
    highest = max((counts.total() for counts in bins.values()), default=1)
    for place, counts in sorted(bins.items()):
        yield from _column(place, counts, highest, y)


def _column(place: int, counts: Counter[str], highest: int, y: float) -> Iterator[Box]:
    """What went well below, the rest above it, down to the last one visible."""
    bottom = y + _COLUMNS
    for outcome in sorted(counts, key=lambda one: (one not in _QUIET, list(SAID).index(one))):
        height = round(max(_LEAST, counts[outcome] / highest * _COLUMNS), 2)
        bottom = round(max(y, bottom - height), 2)
        says = f"{counts[outcome]:,} {SHORT[outcome]}"
        x = round(LEFT + place * _BIN, 2)
        yield Box(x=x, y=bottom, width=_BIN - 0.5, height=height, look=look(outcome), says=says)
