"""The seam to a server: bytes below (Session), the protocol of design §6 above (Server)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vtsconf.core.connection import Target
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.probe import LockSeen, PendingSeen, Probe, Query, QuerySeen, Reading
from vtsconf.core.secret import Secrets
from vtsconf.core.step import Base, Service, Step
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState
from vtsconf.transport.tapes import TapesSeen


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a remote command ended: its exit code (None: killed by a signal or unknown) and stderr, bounded."""

    code: int | None
    stderr: bytes = b""


class Session(Protocol):
    """One connection to one server, already logged in; may execute several commands, one after another."""

    def execute(self, command: str, stdin: Iterable[bytes], on_stdout: Callable[[bytes], None]) -> Exit:
        """Run one POSIX-sh command line (as the `become` user where one is set), feed `stdin`, hand on stdout.

        Raises Unreachable when the connection is lost or a time-out passes; a server that closes
        its stdin early is not an error: the exit code tells.
        """
        ...

    def close(self) -> None: ...


class Connector(Protocol):
    """Makes sessions: `ssh`, `local`, or the fake."""

    def connect(self, target: Target) -> Session:
        """Raises Unreachable with one sentence and the remedy."""
        ...


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One host's part of a plan, as the server is to carry it out. Times are in seconds."""

    host: str  # the inventory name, for commands that ask (VTSCONF_HOST)
    run: str  # letters, digits, "-": also names the backup on the server
    holder: str  # user@controller, for the lock's note
    state_dir: str
    base: tuple[Base, ...]
    steps: tuple[Step, ...]
    restarts: tuple[str, ...]  # services to restart, in order, once each
    services: tuple[Service, ...]  # every service named by a step or a restart
    confirm_within: int
    probes: tuple[Probe, ...]  # read again at the end, for the verification


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What the server says of a transaction.

    `outcome`: "armed" (done, waits for confirm), "stale", "locked", "failed" (nothing changed),
    "reverted" (changed and taken back), "broken" (taking back failed too: needs a person).
    """

    outcome: str
    reason: str = ""
    detail: str = ""  # output of the command that failed, bounded
    reading: Reading | None = None  # what is there now
    lock: LockSeen | None = None
    debts: tuple[str, ...] = ()  # services still to be restarted


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """`outcome`: "confirmed", "reverted", "none" (nothing armed of that run), "broken" (needs a person)."""

    outcome: str
    reason: str = ""
    detail: str = ""  # what could not be taken back printed, bounded
    health: tuple[tuple[str, QuerySeen], ...] = field(default=())
    pending: PendingSeen | None = None


class Server(Protocol):
    """One server, reached: the whole protocol. Every call is one exec on one connection."""

    def read(self, probes: Sequence[Probe], state_dir: str) -> Reading: ...

    def apply(
        self, transaction: Transaction, secrets: Secrets, on_event: Callable[[str], None]
    ) -> Applied: ...

    def confirm(self, run: str, health: Sequence[Query], state_dir: str, who: str = "") -> Confirmed:
        """Run the health checks; if all pass, keep the change, else take it back at once."""
        ...

    def revert(self, run: str, reason: str, state_dir: str) -> Confirmed:
        """Take an armed change back at once."""
        ...

    def unlock(self, state_dir: str, *, force: bool) -> Confirmed:
        """Remove a lock whose process is dead (with `force`: any), unless a change is armed.

        `outcome`: "unlocked", "none", "alive", "armed".
        """
        ...

    def tapes(self, vaults: Sequence[str], on_tape: Callable[[Tape], None]) -> TapesSeen:
        """Every tape of these vaults (whole paths; none named: all `/VAULT??`), told to `on_tape` as it arrives.

        Raises Unreachable when the list was cut: never a part of it for the whole.
        """
        ...

    def start(
        self, spec: RunSpec, state_dir: str, *, patience: float = 0.0, paths: Sequence[str] = ()
    ) -> RunState:
        """Start a detached run, or attach to it; if an older or newer attempt runs, that one is what is given.

        The answer waits for its end, at most `patience` seconds, and then tells what `paths` are.
        Raises Failed when the server cannot start anything (a full disk, say); then nothing was started.
        """
        ...

    def look(
        self, ids: Sequence[str], state_dir: str, paths: Sequence[str] = (), *, patience: float = 0.0
    ) -> RunsSeen:
        """How these jobs stand, whatever their number, and what these files are now.

        While all of them run, the answer waits until any run of this server ends, at most `patience` seconds.
        """
        ...

    def end(self, id_: str, attempt: int, state_dir: str) -> RunState:
        """End all processes of this attempt, if it is the one that runs: TERM, and after ten seconds KILL."""
        ...

    def forget(self, ids: Sequence[str], state_dir: str) -> tuple[str, ...]:
        """Remove what the server keeps of these jobs, and of those whose names begin so and go on with a dash, unless they
        run; which of these it has no trace of any more.
        """
        ...

    def close(self) -> None: ...
