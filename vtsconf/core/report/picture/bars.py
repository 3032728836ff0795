"""A bar for each server, from its beginning to its end, grouped by wave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vtsconf.core.report.clock import length
from vtsconf.core.report.picture.canvas import LANE, Canvas
from vtsconf.core.report.picture.shape import AXIS, LEFT, RIGHT, WIDTH, Box, Figure, Mark, Text, cut
from vtsconf.core.report.verdict import SHORT, look

ROWS = 40  # of servers in one figure, so that it fits on a page
_ROW, _BAR, _HEAD = 15.0, 9.0, 23.0
_FOLDED = 5  # servers never tried that have a row each; more of a wave share one
_NAME = 26  # characters


@dataclass(frozen=True, kw_only=True)
class Group:
    """A wave, or a part of one that fits into a figure. `wave` 0: a run without waves."""

    wave: int
    title: str
    is_first: bool
    servers: Sequence[Mapping[str, Any]]
    untried: int = 0  # so many more, that share a row

    @property
    def height(self) -> float:
        return _HEAD + _ROW * (len(self.servers) + bool(self.untried))


def bars(canvas: Canvas) -> list[Figure]:
    """All figures of a run."""
    pages = list(_pages(list(_groups(canvas.document))))
    return [_figure(canvas, groups, number, len(pages)) for number, groups in enumerate(pages, 1)]


def _groups(document: Mapping[str, Any]) -> Iterator[Group]:
    by_wave: dict[int, list[Mapping[str, Any]]] = {}
    for server in document["servers"]:
        if server["wave"] or server["tries"]:
            by_wave.setdefault(server["wave"], []).append(server)
    canary = any(wave["canary"] for wave in document["waves"])
    for wave, servers in sorted(by_wave.items()):
        shown = [one for one in servers if one["tries"]]
        untried = [one for one in servers if not one["tries"]]
        if len(untried) <= _FOLDED:
            shown, untried = servers, []
        name = f"Wave {wave}{', canary' if canary and wave == 1 else ''}" if wave else "Servers"
        for start in range(0, len(shown), ROWS) or [0]:
            title = name if start == 0 else f"{name} (continued)"
            part = shown[start : start + ROWS]
            left = len(untried) if start + ROWS >= len(shown) else 0
            yield Group(wave=wave, title=title, is_first=start == 0, servers=part, untried=left)


def _pages(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """As many groups together as fit into a figure."""
    page: list[Group] = []
    for group in groups:
        if page and sum(one.height for one in page) + group.height > _ROW * ROWS + _HEAD:
            yield page
            page = []
        page.append(group)
    if page:
        yield page


def _figure(canvas: Canvas, groups: Sequence[Group], number: int, total: int) -> Figure:
    part = f", part {number} of {total}" if total > 1 else ""
    about = f"One bar for each server, from when it was begun until its end was known: {groups[0].title}"
    about += f" to {groups[-1].title}." if len(groups) > 1 else "."
    figure = Figure(title=f"Timeline of run {canvas.document['run']}{part}", about=about)
    y = AXIS
    if number == 1:
        marks, texts = canvas.lane(y)
        figure.marks += marks
        figure.texts += texts
        y += LANE
    for group in groups:
        y = _group(figure, canvas, group, y)
    return canvas.finish(figure, y + 16)


def _group(figure: Figure, canvas: Canvas, group: Group, y: float) -> float:
    figure.boxes.append(Box(x=0, y=y + 2, width=WIDTH, height=0.8, look="rule"))
    figure.texts.append(Text(x=0, y=y + _HEAD - 7, text=group.title, look="wave"))
    if group.is_first:
        soak, marks = canvas.gates(group.wave, y + _HEAD / 2 + 1)
        figure.boxes += soak
        figure.marks += marks
    y += _HEAD
    for server in group.servers:
        _server(figure, canvas, server, y)
        y += _ROW
    if group.untried:
        word = (
            f"{group.untried} servers never tried"
            if canvas.document["finished"]
            else f"{group.untried} not tried"
        )
        figure.texts.append(Text(x=LEFT + 4, y=y + 11, text=word, look="muted"))
        y += _ROW
    return y


def _server(figure: Figure, canvas: Canvas, server: Mapping[str, Any], y: float) -> None:
    name = server["host"]
    figure.texts.append(Text(x=0, y=y + 11, text=cut(name, _NAME), look="name", says=name))
    figure.texts.append(
        Text(x=RIGHT + 11, y=y + 11, text=_word(server), look=f"word {look(server['outcome'])}")
    )
    figure.boxes += [_bar(canvas, server, one, y) for one in server["tries"]]
    if not server["tries"]:
        figure.boxes.append(Box(x=LEFT, y=y + _ROW / 2, width=RIGHT - LEFT, height=0.8, look="never"))
    figure.marks += [_settled(canvas, server, one, y) for one in server["settled"]]


def _word(server: Mapping[str, Any]) -> str:
    took = f" {length(server['seconds'])}" if server["seconds"] and server["tries"] else ""
    return f"{SHORT[server['outcome']]}{took}"


def _bar(canvas: Canvas, server: Mapping[str, Any], one: Mapping[str, Any], y: float) -> Box:
    end = one["finished"] if one["finished"] is not None else canvas.now
    x = canvas.scale.x(one["started"])
    outcome = one["outcome"] or "in doubt"
    took = length(end - one["started"]) if one["finished"] is not None else "its end was not heard of"
    says = f"{server['host']}: {SHORT.get(outcome, outcome)}, from {canvas.time(one['started'])}, {took}"
    width = max(2.0, round(canvas.scale.x(end) - x, 2))
    return Box(x=x, y=y + (_ROW - _BAR) / 2, width=width, height=_BAR, look=look(outcome), says=says)


def _settled(canvas: Canvas, server: Mapping[str, Any], one: Mapping[str, Any], y: float) -> Mark:
    says = f"{server['host']}: settled as {one['outcome']}, {canvas.time(one['at'])}: {one['reason']}"[:400]
    return Mark(x=canvas.scale.x(one["at"]), y=y + _ROW / 2, sign="settled", says=says)
