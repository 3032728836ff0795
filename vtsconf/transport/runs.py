"""Commands that run detached on a server and can be found again: the values; `jobs.sh` does the work there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vtsconf.core.migrate.tape import Tape


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The file at `path` must be so, or nothing is started: checked in the same round trip, right before.

    `size` (bytes), `mtime` (nanoseconds; where it is a whole second, only the second is compared: an old `find` knows no
    more) and `inode`; None: may be any. `is_absent`: nothing may be there, which is how a lock file is asked for.
    `only_in`: vaults (names or globs, beside its own) of which no pool may hold another file of this name.
    """

    path: str
    size: int | None = None
    mtime: int | None = None
    inode: int | None = None
    is_absent: bool = False
    only_in: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One detached run. `id` and `attempt` make its name: starting it twice attaches to the first.

    `argv`, `stdin`, `files`, `env` as in `bma.contract.Command`; `timeout` in seconds. Each of `checks` is a command
    that must end with 0 within 20 s, or nothing is started. Of the runs in `after` nothing may live any more.
    """

    id: str  # letters, digits, "-"
    attempt: int  # from 1; one that is older than the newest never starts
    argv: tuple[str, ...]
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 86400
    guards: tuple[Guard, ...] = ()
    checks: tuple[tuple[str, ...], ...] = ()
    after: tuple[str, ...] = ()


State = Literal["none", "refused", "running", "ended", "lost"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """How a detached run stands. "refused": a guard or check did not hold (`reason`); `is_busy`: a check, which may hold
    later. "lost": it began, and neither runs
    nor has an end: the server was rebooted, or it was killed with its whole group.

    `exit` as a shell says it: 128 + n for signal n; 124: ended at its time-out. `reason` says also why it was ended.
    `output` is the log, bounded: its first and last parts; of one that runs, what it said last. Times: the server's
    seconds since 1970.
    """

    id: str
    attempt: int  # of the newest that began; 0: none
    state: State
    exit: int | None = None
    reason: str = ""
    is_busy: bool = False
    output: bytes = b""
    is_cut: bool = False
    started: int = 0
    beat: int = 0  # when it was last seen alive
    clock: int = 0
    files: Mapping[str, Tape | None] = field(default_factory=dict)  # those asked for with its start


@dataclass(frozen=True, kw_only=True)
class RunsSeen:
    """What one look shows: the newest attempt of each job asked for, and the files. `files`: None where none was found."""

    runs: tuple[RunState, ...]
    files: Mapping[str, Tape | None] = field(default_factory=dict)
    clock: int = 0
