"""How old and how large tapes are: counts in classes that people think in, and as plain blocks for a terminal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_HOUR, _DAY = 3600, 86_400
AGES = (_HOUR, _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY, 365 * _DAY)
AGE_WORDS = ("< 1h", "1h - 1d", "1d - 7d", "7d - 30d", "30d - 90d", "90d - 1y", "> 1y")
SIZES = (1, 10**6, 10**8, 10**9, 10**10, 10**11)
SIZE_WORDS = ("erased", "< 1 MB", "1 - 100 MB", "0.1 - 1 GB", "1 - 10 GB", "10 - 100 GB", "> 100 GB")
_NARROW = 24  # columns below which there is no place for a bar


@dataclass(kw_only=True)
class Histogram:
    """Counts of tapes by class, and how many of each are taken. `bounds` go upward; each begins the next class."""

    bounds: Sequence[int]
    words: Sequence[str]
    seen: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen = self.seen or [0] * len(self.words)
        self.taken = self.taken or [0] * len(self.words)

    def add(self, value: int, is_taken: bool) -> None:
        index = bisect_right(self.bounds, value)
        self.seen[index] += 1
        if is_taken:
            self.taken[index] += 1

    def absorb(self, other: Histogram) -> None:
        """With the counts of another server."""
        self.seen = [a + b for a, b in zip(self.seen, other.seen, strict=True)]
        self.taken = [a + b for a, b in zip(self.taken, other.taken, strict=True)]

    def to_json(self) -> list[dict[str, Any]]:
        rows = zip(self.words, self.seen, self.taken, strict=True)
        return [{"class": word, "tapes": seen, "taken": taken} for word, seen, taken in rows]


def of_ages() -> Histogram:
    """Ages in seconds."""
    return Histogram(bounds=AGES, words=AGE_WORDS)


def of_sizes() -> Histogram:
    """Sizes in bytes."""
    return Histogram(bounds=SIZES, words=SIZE_WORDS)


def blocks(histogram: Histogram, width: int) -> Iterator[str]:
    """A line for each class, at most `width` columns: `█` is taken, `░` is left; without colour, for any terminal."""
    digits = len(str(max(histogram.seen, default=0)))
    room = max(0, width - 14 - digits - 3) if width >= _NARROW + digits else 0
    most = max(histogram.seen, default=0)
    for word, seen, taken in zip(histogram.words, histogram.seen, histogram.taken, strict=True):
        bar = _bar(seen, taken, most, room)
        yield f"  {word:>11} {seen:>{digits}} {bar}".rstrip()


def _bar(seen: int, taken: int, most: int, room: int) -> str:
    """Whatever is there is seen: at least one block for one tape."""
    if not seen or not room:
        return ""
    length = max(1, round(room * seen / most))
    full = min(length, max(bool(taken), round(length * taken / seen)))
    return "█" * full + "░" * (length - full)
