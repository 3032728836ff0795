"""Commands that run detached on a server and can be found again: the values; `jobs.sh` does the work there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The file at `path` must be so, or nothing is started: checked in the same round trip, right before.

    `size` and `mtime` (nanoseconds) and `inode`; None: may be any. `is_locked` paths must not exist.
    """

    path: str
    size: int | None = None
    mtime: int | None = None
    inode: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One detached run. `id` and `attempt` make its name: starting it twice attaches to the first.

    `argv`, `stdin`, `files`, `env` as in `bma.contract.Command`; `timeout` in seconds.
    """

    id: str  # letters, digits, "-"
    attempt: int
    argv: tuple[str, ...]
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 86400
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileStat:
    """A regular file as it is now. `mtime`: nanoseconds."""

    size: int
    mtime: int
    inode: int


State = Literal["none", "refused", "running", "ended", "lost"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """How a detached run stands. "refused": a guard did not hold (`reason`). "lost": it began, and neither runs nor has
    an end: the server was rebooted, or it was killed with its whole group.

    `exit` 124: ended at its time-out. `output` is the log, bounded: its first and last parts. Times: the server's
    seconds since 1970.
    """

    id: str
    attempt: int
    state: State
    exit: int | None = None
    reason: str = ""
    output: bytes = b""
    is_cut: bool = False
    started: int = 0
    beat: int = 0  # when it was last seen alive
    clock: int = 0
