"""How a command, and a host's part in it, can end."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    ERROR = 1
    CHANGES = 2  # only `plan --detailed-exitcode` and `drift`
    INVALID = 3  # also: refused by a safety lint
    UNREACHABLE = 4
    PARTIAL = 5
    STALE = 6
    LOCKED = 7
    REVERTED = 8
    WAITING = 9  # paused, inconclusive, or waiting for confirmation
    USAGE = 64
    INTERRUPTED = 130


_WORST_FIRST = (1, 8, 5, 4, 6, 7, 3, 9, 2, 0)


def worst(exits: Iterable[Exit]) -> Exit:
    """The exit code of several hosts together."""
    return min(exits, key=_WORST_FIRST.index, default=Exit.DONE)


class PlanOutcome(StrEnum):
    """What planning one host came to."""

    CHANGES = "changes"
    IN_SYNC = "in_sync"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"
    LOCKED = "locked"
    ERROR = "error"

    @property
    def exit(self) -> Exit:
        """CHANGES counts as done: only `--detailed-exitcode` and `drift` turn it into 2."""
        return _PLAN_EXITS[self]


_PLAN_EXITS = {
    PlanOutcome.CHANGES: Exit.DONE,
    PlanOutcome.IN_SYNC: Exit.DONE,
    PlanOutcome.UNREACHABLE: Exit.UNREACHABLE,
    PlanOutcome.INVALID: Exit.INVALID,
    PlanOutcome.LOCKED: Exit.LOCKED,
    PlanOutcome.ERROR: Exit.ERROR,
}


class RunOutcome(StrEnum):
    """What changing one host came to. Every host of a run ends in exactly one."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REVERTED = "reverted"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    STALE = "stale"
    LOCKED = "locked"
    REFUSED = "refused"
    SKIPPED = "skipped"
    WAITING = "waiting"  # applied, armed, not confirmed yet (`apply --no-confirm`)

    @property
    def exit(self) -> Exit:
        return _RUN_EXITS[self]


_RUN_EXITS = {
    RunOutcome.UNCHANGED: Exit.DONE,
    RunOutcome.CHANGED: Exit.DONE,
    RunOutcome.REVERTED: Exit.REVERTED,
    RunOutcome.FAILED: Exit.PARTIAL,
    RunOutcome.UNREACHABLE: Exit.UNREACHABLE,
    RunOutcome.STALE: Exit.STALE,
    RunOutcome.LOCKED: Exit.LOCKED,
    RunOutcome.REFUSED: Exit.INVALID,
    RunOutcome.SKIPPED: Exit.PARTIAL,
    RunOutcome.WAITING: Exit.WAITING,
}
