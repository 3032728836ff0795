"""What all figures of a run share: the scale, the axis, shortened stretches, pauses, and the lane of decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vtsconf.core.report.clock import Clock, length
from vtsconf.core.report.picture.scale import Scale, scale
from vtsconf.core.report.picture.shape import AXIS, LEFT, RIGHT, WIDTH, Box, Figure, Mark, Text

LANE = 24.0  # height of a lane with marks
_TICK = 58.0  # between two labels of the axis
_MARK = 15.0  # between two marks
_LABELLED = 32.0  # a shortened stretch narrower than that has its length as a tooltip only
_PAUSES = 30  # drawn
_SAYS = 300  # characters of a tooltip
DECISIONS = {
    "run-started": "started",
    "approved": "approved",
    "paused": "paused",
    "resumed": "resumed",
    "abort-asked": "asked to abort",
    "stopped": "stopped",
    "run-finished": "ended",
}


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """One run, and where its moments are on paper."""

    document: Mapping[str, Any]
    clock: Clock
    scale: Scale

    @classmethod
    def of(cls, document: Mapping[str, Any], clock: Clock) -> Canvas:
        axis = scale(_busy(document), left=LEFT, right=RIGHT)
        return cls(document=document, clock=clock, scale=axis)

    @property
    def now(self) -> float:
        """The last moment that is known of."""
        return float(self.document["as_of"])

    def time(self, at: float) -> str:
        written = self.clock.brief(at)
        return f"{written.local} ({written.utc})" if written else ""

    def finish(self, figure: Figure, height: float) -> Figure:
        """Put the axis and what lies behind all rows into a figure of this height."""
        figure.height = height
        figure.boxes[:0] = [*self._quiet(height), *self._pauses(height), *self._grid(height)]
        figure.texts += [*self._axis(), *self._lengths(height)]
        return figure

    def _axis(self) -> Iterator[Text]:
        for at in self.scale.ticks(_TICK):
            written = self.clock.brief(at)
            assert written
            x = self.scale.x(at)
            anchor = "end" if x > RIGHT - 24 else "start" if x < LEFT + 24 else "middle"
            yield Text(x=x, y=13, text=written.local[-14:], look="tick", anchor=anchor, says=written.local)
            if not self.clock.is_utc(at):
                yield Text(x=x, y=25, text=written.utc[-9:], look="tick utc", anchor=anchor)

    def _grid(self, height: float) -> Iterator[Box]:
        for at in self.scale.ticks(_TICK):
            yield Box(x=self.scale.x(at), y=AXIS - 4, width=0.6, height=height - AXIS + 4, look="grid")

    def _quiet(self, height: float) -> Iterator[Box]:
        for one in (one for one in self.scale.stretches if one.quiet):
            says = f"{length(one.end - one.start)} without work on a server, drawn shortened"
            width = round(one.right - one.left, 2)
            yield Box(
                x=round(one.left, 2), y=AXIS, width=width, height=height - AXIS, look="quiet", says=says
            )

    def _lengths(self, height: float) -> Iterator[Text]:
        for one in (one for one in self.scale.stretches if one.quiet and one.right - one.left >= _LABELLED):
            middle = round((one.left + one.right) / 2, 2)
            yield Text(x=middle, y=height - 4, text=length(one.end - one.start), look="gap", anchor="middle")

    def _pauses(self, height: float) -> Iterator[Box]:
        longest = sorted(pauses(self.document), key=lambda one: one[0] - one[1])[:_PAUSES]
        for start, end, why in longest:
            x = self.scale.x(start)
            width = max(1.5, round(self.scale.x(end) - x, 2))
            says = f"paused for {length(end - start)}: {why}"[:_SAYS]
            yield Box(x=x, y=AXIS, width=width, height=height - AXIS, look="pause", says=says)

    def lane(self, y: float) -> tuple[list[Mark], list[Text]]:
        """Who started, approved, paused, resumed, aborted; what stopped it; when it ended."""
        told = self.document["decisions"]
        room = int((RIGHT - LEFT) / _MARK)
        shown = told if len(told) <= room else [*told[: room - 1], told[-1]]
        places = spread([self.scale.x(one["at"]) for one in shown], _MARK, LEFT, RIGHT)
        marks = [
            Mark(x=x, y=y + LANE / 2, sign=one["action"], says=self._says(one))
            for x, one in zip(places, shown, strict=True)
        ]
        label = Text(x=0, y=y + LANE / 2 + 4, text="Decisions", look="lane")
        left = len(told) - len(shown)
        more = [
            Text(x=WIDTH, y=y + LANE / 2 + 4, text=f"{left} more in the table", look="word", anchor="end")
        ]
        return marks, [label, *(more if left else [])]

    def _says(self, decision: Mapping[str, Any]) -> str:
        who = f" by {decision['by']}" if decision.get("by") else ""
        wave = f" (wave {decision['wave']})" if decision.get("wave") else ""
        why = f": {decision['why']}" if decision.get("why") else ""
        return f"{DECISIONS[decision['action']]}{wave}{who}, {self.time(decision['at'])}{why}"[:_SAYS]

    def gates(self, wave: int, y: float) -> tuple[list[Box], list[Mark]]:
        """The marks of a wave's gates, and its soak time between the first answers and the last."""
        asked = [gate for gate in self.document["gates"] if gate.get("wave") == wave]
        places = spread([self.scale.x(one["at"]) for one in asked], _MARK, LEFT, RIGHT)
        marks = [
            Mark(x=x, y=y, sign=str(one.get("verdict", "")), says=self._answered(one))
            for x, one in zip(places, asked, strict=True)
        ]
        return list(self._soak(asked, y)), marks

    def _soak(self, asked: list[Mapping[str, Any]], y: float) -> Iterator[Box]:
        first = next(
            (one["at"] for one in asked if one.get("ask") == "first" and one.get("verdict") == "pass"), None
        )
        last = next((one["at"] for one in asked if one.get("ask") == "last"), None)
        if first is not None and last is not None:
            x, end = self.scale.x(first), self.scale.x(last)
            says = f"soak time: {length(last - first)}"
            yield Box(x=x, y=y - 2.5, width=max(1.0, round(end - x, 2)), height=5, look="soak", says=says)

    def _answered(self, gate: Mapping[str, Any]) -> str:
        ask = "after the soak time" if gate.get("ask") == "last" else "after the change"
        return f"gates of wave {gate.get('wave')}, {ask}: {gate.get('verdict')}, {self.time(gate['at'])}"


def pauses(document: Mapping[str, Any]) -> list[tuple[float, float, str]]:
    """From when until when it was paused, and why; one that lasts ends with the last event."""
    found: list[tuple[float, float, str]] = []
    since: Mapping[str, Any] | None = None
    for one in document["decisions"]:
        if one["action"] == "paused":
            since = since or one
        elif since and one["action"] in ("resumed", "stopped", "run-finished"):
            found.append((since["at"], one["at"], since.get("why") or "asked for"))
            since = None
    if since:
        found.append((since["at"], float(document["as_of"]), since.get("why") or "asked for"))
    return found


def spread(places: list[float], apart: float, left: float, right: float) -> list[float]:
    """The same places in order, moved as little as possible so that they are `apart`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + apart) if moved else max(place, left))
    limit = right
    for index in reversed(range(len(moved))):
        moved[index] = round(min(moved[index], limit), 2)
        limit = moved[index] - apart
    return moved


def _busy(document: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """When something was done; moments have no length."""
    for server in document["servers"]:
        for one in server["tries"]:
            end = one["finished"] if one["finished"] is not None else document["as_of"]
            yield one["started"], max(one["started"], end)
        for settled in server["settled"]:
            yield settled["at"], settled["at"]
    for moment in (*document["gates"], *document["decisions"]):
        yield moment["at"], moment["at"]
