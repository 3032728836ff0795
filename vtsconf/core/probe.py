"""What to read on a server, and what was seen there. Resources ask with these; transports answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class ReadFile:
    """Read one file whole (up to `limit` bytes), with owner, group, mode and mtime. Never follows a link."""

    path: str
    limit: int = 4 * 1024 * 1024


@dataclass(frozen=True)
class Query:
    """Run a command that changes nothing and keep its exit code and the first 64 KiB of each output."""

    name: str  # unique within a host: "services/ems/status", "commands/x/check", "facts/kernel"
    argv: tuple[str, ...]
    timeout: int = 20  # seconds, then the whole process group is ended


Probe = ReadFile | Query


class FileKind(StrEnum):
    """What stands at a path. Only ABSENT and FILE can be managed."""

    ABSENT = "absent"
    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    SPECIAL = "special"  # FIFO, socket, device
    UNREADABLE = "unreadable"
    TOO_BIG = "too_big"
    UNSTABLE = "unstable"  # changed while it was read

    @property
    def manageable(self) -> bool:
        return self in (FileKind.ABSENT, FileKind.FILE)


@dataclass(frozen=True, kw_only=True)
class FileSeen:
    """A path as it was found. `data` is None unless `kind` is FILE; `mode` is four octal digits."""

    kind: FileKind
    data: bytes | None = None
    owner: str = ""
    group: str = ""
    mode: str = ""
    mtime: int = 0  # seconds since 1970, by the server's clock
    size: int = 0
    target: str = ""  # of a symlink
    folder_missing: bool = False  # absent, and so is the folder it would stand in

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the bytes; "" where there are none to speak of."""
        return "" if self.data is None else hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, kw_only=True)
class QuerySeen:
    """What a command answered; `exit` is None when it had to be ended at its time-out."""

    exit: int | None
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace").strip()


@dataclass(frozen=True, kw_only=True)
class LockSeen:
    """Who holds the server: the note inside the lock. Times are the server's own seconds since 1970."""

    run: str
    holder: str  # user@controller
    since: int
    until: int


@dataclass(frozen=True, kw_only=True)
class PendingSeen:
    """A change that is armed and not confirmed."""

    run: str
    holder: str
    since: int
    until: int  # when it takes itself back
    decision: str = ""  # "", "confirm" or "revert": who won


@dataclass(frozen=True, kw_only=True)
class DebtSeen:
    """A service whose files were written and which was not restarted since."""

    service: str
    run: str
    since: int


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that one round trip told about a server."""

    files: Mapping[str, FileSeen] = field(default_factory=dict)
    queries: Mapping[str, QuerySeen] = field(default_factory=dict)
    lock: LockSeen | None = None
    pending: PendingSeen | None = None
    debts: tuple[DebtSeen, ...] = ()
    settled: tuple[str, ...] = ()  # sentences: what this contact had to settle before it read
    clock: int = 0  # the server's seconds since 1970
    user: str = ""  # who we are there
    journal: tuple[str, ...] = ()  # last lines of the journal on the server, newest last
