"""A window as it is written: in a strategy of a rollout, and in a policy."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from vtsconf.core import window
from vtsconf.core.fields import Listed, Settings, found, refusal
from vtsconf.core.problem import suggestion

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _time_of_day(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return value
    raise refusal(
        f"{found(value)} is not a time of day",
        why="a window begins and ends at hours and minutes, 00:00 to 23:59",
        remedy='write it in quotes: "22:00"',
    )


TimeOfDay = Annotated[
    str,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]


def _zone(value: Any) -> str:
    try:
        if isinstance(value, str) and value:
            return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):  # not there; no name at all; a folder of zones
        pass
    close = suggestion(value, available_timezones(), cutoff=0.8) if isinstance(value, str) else ""
    raise refusal(
        f"{found(value)} is not a time zone",
        why="a window that opens at another hour than was meant is found out in the night",
        remedy=close or "write a name such as Europe/Berlin, America/New_York or UTC",
    )


Zone = Annotated[
    str,
    BeforeValidator(_zone),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_+/-]{0,60}$"}),
]


class Window(Settings):
    """When work may begin. Without `days`: every day; `to` before `from`: over midnight."""

    days: Listed[Day] = Field(default=(), description="None: every day.")
    start: TimeOfDay = Field(alias="from", examples=["22:00"])
    end: TimeOfDay = Field(alias="to", examples=["06:00"])
    timezone: Zone = Field(default="UTC", examples=["Europe/Berlin"])

    @model_validator(mode="after")
    def _has_a_length(self) -> Window:
        if self.start == self.end:
            raise refusal(
                f"the window ends when it begins, at {self.start}",
                why="nothing could ever run in it",
                remedy="write another end, or leave the window out: always",
            )
        return self

    @property
    def meant(self) -> window.Window:
        """The window that knows when it opens."""
        days = sorted({get_args(Day).index(day) for day in self.days})
        return window.Window(
            start=_minutes(self.start), end=_minutes(self.end), days=tuple(days), timezone=self.timezone
        )


def _minutes(time_of_day: str) -> int:
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])
