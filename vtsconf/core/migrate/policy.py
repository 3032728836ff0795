"""A policy as it is judged and scheduled: plain values, nothing optional that the document has settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vtsconf.core.migrate.job import Action
from vtsconf.core.window import Window


@dataclass(frozen=True, kw_only=True)
class Select:
    """Which tapes. Everything given must hold; globs are as the shell's, `()` is any. Ages in seconds, sizes in bytes."""

    vaults: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    cartridges: tuple[str, ...] = ()
    min_age: int | None = None  # since the mtime
    max_age: int | None = None
    min_size: int | None = None  # of a restore: of the copy
    max_size: int | None = None
    state: Literal["present", "erased"] | None = None
    # None: for a migration whatever is not on tape as it is now, else only what is proven.
    migrated: Literal["never", "changed", "yes", "any"] | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy of one server. `backoff` in seconds; a limit of None: not limited by this policy.

    `drives`: how many tape drives its BMA may use at once; None where nobody has said so.

    `is_allowed`: an erase that is allowed by name (promise 11); nothing else asks for it.
    """

    name: str
    action: Action
    select: Select = field(default_factory=Select)
    bma: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    submit: Literal["run", "vtspolicy"] = "run"
    checksum: bool = False  # of a migration: see `Job.checksum`
    window: Window | None = None
    per_host: int | None = None
    per_bma: int | None = None
    per_drive: int | None = None
    drives: int | None = None
    bytes_per_run: int | None = None
    attempts: int = 5
    backoff: int = 30
    priority: int = 50
    is_allowed: bool = False

    @property
    def place(self) -> int:
        """Where its jobs stand in the row: restores before all others, then the lower priority."""
        return 0 if self.action == "restore" else 1 + self.priority

    @property
    def urgency(self) -> int:
        """The priority of its jobs; that of restores is 0 whatever the policy says."""
        return 0 if self.action == "restore" else self.priority

    @property
    def rank(self) -> tuple[int, str]:
        """Who is asked first about a tape."""
        return (self.place, self.name)

    def opens(self, now: int) -> int:
        """When its work may begin, in seconds since 1970."""
        return self.window.opens(now) if self.window else now


def in_order(policies: list[Policy]) -> tuple[Policy, ...]:
    """As they are asked about a tape: the first that wants it gets it."""
    return tuple(sorted(policies, key=lambda policy: policy.rank))
