"""When work may begin: days and times of day in a time zone, daylight saving included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_DAY = 86_400
_WEEK = 7 * _DAY
_LONGEST = 3 * _WEEK  # back to the last end: an opening may be left out when the clocks go forward
_MONDAY = 3 * _DAY  # 1970 began on a Thursday: so much later than a Monday


@dataclass(frozen=True, kw_only=True)
class Window:
    """Open whenever a clock on the wall there shows a time inside.

    So a time that is left out when the clocks go forward is never shown, and one that comes twice when they go back
    counts twice. `start` and `end` are minutes of the day, `end` is outside; an `end` before `start` is on the next
    day. `days` are those on which it opens: 0 = Monday; () = every day. `timezone`: an IANA name.
    """

    start: int
    end: int
    days: tuple[int, ...] = ()
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if not (0 <= self.start < 1440 and 0 <= self.end < 1440 and self.start != self.end):
            raise ValueError("a window begins and ends at two different minutes of a day")
        if not set(self.days) <= set(range(7)):
            raise ValueError("the days of a window are 0 to 6")

    def opens(self, now: int) -> int:
        """Seconds since 1970 when it is open: `now` itself while it is, else the next opening."""
        return self._when(now, is_open=True)

    def closes(self, now: int) -> int:
        """Seconds since 1970 when it is closed: `now` itself while it is, else the end of this opening."""
        return self._when(now, is_open=False)

    def ended(self, now: int) -> int:
        """Seconds since 1970 of the end of the last opening that is over by `now`."""
        end = now - _LONGEST
        while (closes := self.closes(self.opens(end))) <= now:
            end = closes
        return end

    def is_open(self, now: int) -> bool:
        """Whether it is, `now` seconds since 1970."""
        return self.opens(now) == now

    def _when(self, now: int, *, is_open: bool) -> int:
        """As if the clocks were never changed; where they are changed before, from there on anew."""
        while True:
            wall = now + self._offset(now)
            then = now + (self._until_open(wall) if is_open else self._until_closed(wall))
            changed = self._clocks_change(now, then)
            if changed is None:
                return then
            now = changed

    def _until_open(self, wall: int) -> int:
        """Seconds from a time on the wall (as if it were UTC) until it is open."""
        return min(0 if passed < self._length else _WEEK - passed for passed in self._passed(wall))

    def _until_closed(self, wall: int) -> int:
        return max(0, *(self._length - passed for passed in self._passed(wall)))

    def _passed(self, wall: int) -> list[int]:
        """Seconds since the last opening on each of its days of the week."""
        return [(wall + _MONDAY - day * _DAY - self.start * 60) % _WEEK for day in self.days or range(7)]

    @property
    def _length(self) -> int:
        return (self.end - self.start) % 1440 * 60

    def _clocks_change(self, since: int, until: int) -> int | None:
        """The first second after `since`, up to `until`, with another offset from UTC; None when there is none.

        The two are a week apart at most: since 2001 no zone has changed its clocks and changed them back in one.
        """
        before = self._offset(since)
        if self._offset(until) == before:
            return None
        while until - since > 1:
            middle = (since + until) // 2
            since, until = (middle, until) if self._offset(middle) == before else (since, middle)
        return until

    def _offset(self, at: int) -> int:
        """Seconds by which the wall there is ahead of UTC."""
        moment = datetime.fromtimestamp(at, UTC).astimezone(self._zone)
        return int((moment.utcoffset() or moment - moment).total_seconds())

    @cached_property
    def _zone(self) -> ZoneInfo:
        from zoneinfo import ZoneInfo  # most runs have no window

        return ZoneInfo(self.timezone)

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02} {self.timezone}"
