"""A time axis on which work can be seen: stretches in which nothing happened (soak, pauses, nights) are shortened."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

_QUIET = 0.25  # a gap is shortened when it is longer than this share of all busy time
_GAPS = 0.34  # of the width, at most, for all shortened gaps together
_GAP = 84.0  # the width of one, at most
_LEAST = 10.0  # the width of a busy stretch, at least
_STRETCHES = 60  # busy ones, at most
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)  # seconds


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """From `start` to `end` (seconds since 1970), drawn from `left` to `right`. `quiet`: shortened."""

    start: float
    end: float
    left: float
    right: float
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Seconds since 1970 to a place between `left` and `right`; moments outside are at its ends."""

    stretches: tuple[Stretch, ...]

    @property
    def left(self) -> float:
        return self.stretches[0].left

    @property
    def right(self) -> float:
        return self.stretches[-1].right

    def x(self, at: float) -> float:
        index = bisect_right([stretch.start for stretch in self.stretches], at) - 1
        stretch = self.stretches[max(index, 0)]
        length = stretch.end - stretch.start
        share = min(1.0, max(0.0, (at - stretch.start) / length)) if length > 0 else 0.0
        return round(stretch.left + share * (stretch.right - stretch.left), 2)

    def ticks(self, least: float) -> list[float]:
        """Moments worth a label, at least `least` apart on the axis; the first is the beginning."""
        found: list[float] = []
        for at in sorted(
            moment for stretch in self.stretches if not stretch.quiet for moment in _even(stretch, least)
        ):
            if not found or self.x(at) - self.x(found[-1]) >= least:
                found.append(at)
        return found


def _even(stretch: Stretch, least: float) -> list[float]:
    """The beginning of a stretch, and round times in it."""
    length, width = stretch.end - stretch.start, stretch.right - stretch.left
    room = max(1, int(width / least))
    step = next((step for step in _STEPS if length / step <= room), _STEPS[-1])
    first = (int(stretch.start) // step + 1) * step
    return [stretch.start, *(at for at in range(first, int(stretch.end) + 1, step))]


def scale(busy: Iterable[tuple[float, float]], *, left: float, right: float) -> Scale:
    """An axis on which each busy interval has a place; `busy` must not be empty."""
    merged = _joined(sorted(busy), 0.0)
    total = sum(end - start for start, end in merged)
    quiet = max(1.0, total * _QUIET)
    while len(joined := _joined(merged, quiet)) > _STRETCHES:
        quiet *= 2
    gaps = len(joined) - 1
    gap = min(_GAP, (right - left) * _GAPS / gaps) if gaps else 0.0
    return Scale(stretches=tuple(_laid(joined, gap, left, right)))


def _joined(intervals: list[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Those no more than `gap` apart as one."""
    found = [intervals[0]]
    for start, end in intervals[1:]:
        if start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _laid(busy: list[tuple[float, float]], gap: float, left: float, right: float) -> list[Stretch]:
    room = right - left - gap * (len(busy) - 1)
    least = min(_LEAST, room / len(busy))
    total = sum(end - start for start, end in busy)
    free = room - least * len(busy)
    laid: list[Stretch] = []
    for start, end in busy:
        if laid:
            before = laid[-1]
            left = before.right + gap
            laid.append(Stretch(start=before.end, end=start, left=before.right, right=left, quiet=True))
        width = least + (free * (end - start) / total if total else free / len(busy))
        laid.append(Stretch(start=start, end=end, left=left, right=left + width))
        left += width
    return laid
