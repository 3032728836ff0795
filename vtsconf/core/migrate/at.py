"""The moment that a plan is simulated for, as a person writes it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import get_args

from vtsconf.core.hours import Day

_DAYS = get_args(Day)
_WEEKLY = re.compile(r"([a-z]{3}) ([01]?[0-9]|2[0-3]):([0-5][0-9])")


def at(text: str, now: datetime) -> int:
    """Seconds since 1970 of an ISO time with its zone, or of the next `mon 22:00` on the clock of `now`.

    `now` has a zone. Raises ValueError with a sentence.
    """
    if match := _WEEKLY.fullmatch(text.strip().lower()):
        return _next(match[1], int(match[2]), int(match[3]), now)
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return int(moment.timestamp())
    except (ValueError, OverflowError):
        raise ValueError(f"`{text[:60]}` is not a time: write {_example(now)} or `mon 22:00`") from None
    raise ValueError(f"`{text[:60]}` has no time zone: write {_example(now)}, or Z at its end for UTC")


def _next(day: str, hour: int, minute: int, now: datetime) -> int:
    """On the wall clock; where the clocks go forward over it, the moment at which it would have been."""
    if day not in _DAYS:
        raise ValueError(f"`{day}` is not a day: write one of {', '.join(_DAYS)}")
    away = (_DAYS.index(day) - now.weekday()) % 7
    found = now.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=away)
    if found < now:
        found += timedelta(days=7)
    return int(found.timestamp())


def _example(now: datetime) -> str:
    return now.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")
