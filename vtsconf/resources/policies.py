"""Migration policies and rules as they are written under `vts`: checked here, acted on by `migrate`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vtsconf.core.fields import Bytes, Listed, Name, Seconds, Settings, found, refusal

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Backup = Literal["migrate", "restore", "erase"]


def _time_of_day(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return value
    raise refusal(
        f"{found(value)} is not a time of day",
        why="a window begins and ends at hours and minutes, 00:00 to 23:59",
        remedy='write it in quotes: "22:00"',
    )


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]


class Select(Settings):
    """Which tapes a policy is about. Everything given must hold; what is left out does not matter."""

    vaults: Listed[str] = ()
    pools: Listed[str] = ()
    cartridges: Listed[str] = ()
    min_age: Seconds | None = None
    max_age: Seconds | None = None
    min_size: Bytes | None = None
    max_size: Bytes | None = None
    state: Literal["present", "erased"] | None = None
    migrated: Literal["never", "changed", "yes", "any"] | None = None


class Window(Settings):
    """When a policy may run. Without `days`: every day; `to` before `from`: over midnight."""

    days: Listed[Day] = ()
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    timezone: str = "UTC"


class Limits(Settings):
    """How much at once."""

    per_host: int | None = Field(default=None, ge=1)
    per_bma: int | None = Field(default=None, ge=1)
    per_drive: int | None = Field(default=None, ge=1)
    bytes_per_run: Bytes | None = None


class Retry(Settings):
    """How often a failed job is tried, and how long is waited before the second time."""

    attempts: int = Field(default=5, ge=1, le=100)
    backoff: Seconds = 30


class Policy(Settings):
    """What shall happen to which tapes, when, and how hard to try."""

    select: Select = Select()
    action: Backup
    bma: Name | None = None
    options: dict[str, str | int | bool] = Field(default_factory=dict)
    submit: Literal["run", "vtspolicy"] = "run"
    window: Window | None = None
    limits: Limits = Limits()
    retry: Retry = Retry()
    priority: int = Field(default=50, ge=0, le=1000)

    @model_validator(mode="after")
    def _names_its_bma(self) -> Policy:
        if self.action != "erase" and self.bma is None:
            raise refusal(
                f"a policy that says `{self.action}` has no `bma`",
                why="only a backup application moves tapes",
                remedy="add `bma: tsm`, or another one that is configured under vts.bma",
            )
        return self


class Rule(Settings):
    """What an EMS event makes the executor do; acted on by `migrate run --follow`."""

    match: str = Field(min_length=1)
    action: Literal["migrate", "restore", "erase", "vtspolicy", "ignore"]
    policy: Name | None = None
    bma: Name | None = None
    options: dict[str, str | int | bool] = Field(default_factory=dict)
