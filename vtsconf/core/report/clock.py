"""Moments and lengths of time as a report writes them: in the reader's zone with its offset, and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True, kw_only=True)
class Written:
    """One moment. `local` is empty of what the head of the report says already: the date and the offset."""

    iso: str  # "2026-11-25T13:03:20Z"
    local: str
    utc: str


@dataclass(frozen=True, kw_only=True)
class Clock:
    """`zone` None: the zone of this machine. `day`: a moment whose date and offset need not be repeated."""

    zone: tzinfo | None = None
    day: float | None = None

    def local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone)

    def full(self, at: float | None) -> Written | None:
        """With date and offset, whatever the day is."""
        if at is None:
            return None
        local, utc = self.local(at), datetime.fromtimestamp(at, UTC)
        said = f"{local:%Y-%m-%d %H:%M:%S} {offset(local)}"
        return Written(iso=f"{utc:%Y-%m-%dT%H:%M:%SZ}", local=said, utc=f"{utc:%Y-%m-%d %H:%M:%S}Z")

    def brief(self, at: float | None) -> Written | None:
        """The time of day; with date and offset where they are not those of `day`."""
        whole = self.full(at)
        if at is None or whole is None or not self._is_usual(at):
            return whole
        utc = datetime.fromtimestamp(at, UTC)
        return Written(iso=whole.iso, local=f"{self.local(at):%H:%M:%S}", utc=f"{utc:%H:%M:%S}Z")

    def zone_word(self, at: float) -> str:
        """What the local times are told in: "CET, UTC+01:00"; "UTC"."""
        local = self.local(at)
        name, away = local.tzname() or "", offset(local)
        return name if name == "UTC" else f"{name}, UTC{away}" if name.isalpha() else f"UTC{away}"

    def is_utc(self, at: float) -> bool:
        """Local time is the same as UTC then."""
        return not self.local(at).utcoffset()

    def _is_usual(self, at: float) -> bool:
        if self.day is None:
            return False
        one, other = self.local(at), self.local(self.day)
        return one.date() == other.date() and one.utcoffset() == other.utcoffset()


def offset(local: datetime) -> str:
    """Such as +01:00."""
    return f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:5]


def length(seconds: float | None) -> str:
    """As people say it: "0.4 s", "3 s" for whole numbers, "12 s", "3 min 20 s", "2 h 05 min", "3 d 4 h"; "" for None."""
    if seconds is None:
        return ""
    seconds = max(0, seconds)
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    days, hours = divmod(hours, 24)
    if days == 0:
        return f"{hours} h {minutes:02} min"
    return f"{days} d {hours} h"
