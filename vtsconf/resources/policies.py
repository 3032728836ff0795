"""Migration policies and rules as they are written under `vts`: checked here, acted on by `migrate`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vtsconf.core.fields import Bytes, Listed, Name, Named, Scalar, Seconds, Settings, found, refusal
from vtsconf.core.hours import Window
from vtsconf.core.vtspolicy.facts import LINE_WORDS, OPTFILE

Backup = Literal["migrate", "restore", "erase"]


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise refusal(f"{found(value)} is no pattern", remedy="write a regular expression in single quotes")
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise refusal(
            f"{value!r:.60} is not a regular expression: {error}",
            remedy="put a backslash before ( [ * + ? . to mean it",
        ) from None
    from vtsconf.core.patterncost import too_slow  # costs time, so only where there is a rule

    if reason := too_slow(value):
        raise refusal(
            f"{value!r:.60} can take very long: {reason}",
            why="events are written by others, and one of them could keep the executor busy",
            remedy="write [^ ]+ or \\w+ instead of .*, or begin the pattern with ^",
        )
    return value


Pattern = Annotated[str, BeforeValidator(_pattern)]


class Select(Settings):
    """Which tapes a policy is about. Everything given must hold; what is left out does not matter."""

    vaults: Listed[str] = Field(default=(), description="Names or globs.", examples=[["VAULT01"]])
    pools: Listed[str] = Field(default=(), description="Names or globs.", examples=[["PROD*"]])
    cartridges: Listed[str] = Field(default=(), description="Names or globs.", examples=[["*"]])
    min_age: Seconds | None = Field(default=None, description="Since the tape was last written.")
    max_age: Seconds | None = Field(default=None, description="Since the tape was last written.")
    min_size: Bytes | None = None
    max_size: Bytes | None = None
    state: Literal["present", "erased"] | None = Field(
        default=None, description="Erased: its data has size 0."
    )
    migrated: Literal["never", "changed", "yes", "any"] | None = Field(
        default=None, description="Proven on tape, never so, or changed since."
    )

    @model_validator(mode="after")
    def _can_match(self) -> Select:
        for what, low, high in (
            ("age", self.min_age, self.max_age),
            ("size", self.min_size, self.max_size),
        ):
            if low is not None and high is not None and low > high:
                raise refusal(
                    f"min_{what} is more than max_{what}",
                    why="no tape can be both",
                    remedy="exchange the two",
                )
        return self


class Limits(Settings):
    """How much at once."""

    per_host: int | None = Field(default=None, ge=1, description="Its jobs at once on one server.")
    per_bma: int | None = Field(default=None, ge=1, description="Jobs of its BMA at once on all servers.")
    per_drive: int | None = Field(
        default=None,
        ge=1,
        description="Jobs at once for each of the `drives` of its BMA (vts.bma.NAME.drives): the BMA chooses the drive, so all "
        "its jobs together are limited.",
    )
    bytes_per_run: Bytes | None = Field(
        default=None,
        description="Bytes on all servers in one run, or, in a run that follows, in one opening of the window.",
    )


class Retry(Settings):
    """How often a failed job is tried, and how long is waited before the second time."""

    attempts: int = Field(default=5, ge=1, le=100)
    backoff: Seconds = 30


class Policy(Settings):
    """What shall happen to which tapes, when, and how hard to try."""

    select: Select = Field(default=Select(), description="The tapes it is about; everything given must hold.")
    action: Backup = Field(description="What shall happen to them. An erase must be allowed by name.")
    bma: Name | None = Field(default=None, description="One of vts.bma.", examples=["tsm"])
    options: dict[str, Scalar] = Field(
        default_factory=dict,
        description="The BMA's own.",
        examples=[{"type": "archive", "management_class": "MC7Y"}],
    )
    submit: Literal["run", "vtspolicy"] = Field(
        default="run", description="Run the BMA, or hand a VTSPolicy line to the server."
    )
    checksum: bool = Field(
        default=False,
        description="A migration: take the tape's SHA-256 before and after, which reads it twice more. "
        "Restores and erases compare with it wherever one is on record.",
    )
    window: Window | None = Field(default=None, description="When it may run; not set: always.")
    limits: Limits = Field(default=Limits(), description="How much at once.")
    retry: Retry = Field(default=Retry(), description="How often a failed job is tried again.")
    priority: int = Field(default=50, ge=0, le=1000, description="Lower goes first; restores are 0.")

    @property
    def bma_options(self) -> dict[str, Scalar]:
        """What the BMA itself is to know. The options of a policy whose lines go to the server have words of those lines
        too; the option file that a line names is one of TSM, so it is TSM's own.
        """
        if self.submit != "vtspolicy":
            return dict(self.options)
        words = {*LINE_WORDS} if self.bma == "tsm" else {*LINE_WORDS, *OPTFILE}
        kept = {name: value for name, value in self.options.items() if name not in words}
        if self.bma == "tsm" and "o" in self.options:
            kept.setdefault("optfile", self.options["o"])
        return kept

    @model_validator(mode="after")
    def _names_its_bma(self) -> Policy:
        if self.action != "erase" and self.bma is None:
            raise refusal(
                f"a policy that says `{self.action}` has no `bma`",
                why="only a backup application moves tapes",
                remedy="add `bma: tsm`, or another one that is configured under vts.bma",
            )
        return self


class Policies(Settings):
    """The policies of one server."""

    policies: Named[Policy] = Field(
        default_factory=dict, description="Which tapes are migrated, restored or erased."
    )


class Rule(Settings):
    """What an EMS event makes the executor do; acted on by `migrate run --follow`."""

    match: Pattern = Field(description="A regular expression that the event's text must match.")
    action: Literal["migrate", "restore", "erase", "vtspolicy", "notify", "ignore"] = Field(
        description="What it is taken for. An erase must be allowed by name."
    )
    policy: Name | None = Field(
        default=None, description="One of vts.policies, for its BMA, options and limits."
    )
    bma: Name | None = None
    options: dict[str, Scalar] = Field(default_factory=dict)


class Rules(Settings):
    """The one key of `ems` that is no parameter."""

    rules: Named[Rule] = Field(
        default_factory=dict, description="What an EMS event makes the executor do (`migrate run --follow`)."
    )
