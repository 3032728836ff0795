"""When work may begin: days and times of day in a time zone, daylight saving included."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Window:
    """`start` and `end` are minutes of the day; an `end` before `start` is on the next day. `days` are those on which
    it opens: 0 = Monday; () = every day. `timezone`: an IANA name.
    """

    start: int
    end: int
    days: tuple[int, ...] = ()
    timezone: str = "UTC"

    def opens(self, now: int) -> int:
        """Seconds since 1970 when it is open: `now` itself while it is, else the next opening."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02} {self.timezone}"
