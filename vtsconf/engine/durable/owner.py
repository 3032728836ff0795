"""Who runs what: a name that no other process ever has, and a lock that ends with the process.

Clocks are not asked: a process that stands still for an hour keeps its lock, and with it its work.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from vtsconf.core.errors import Locked
from vtsconf.engine.durable.store import Store, sentences

if TYPE_CHECKING:
    from sqlalchemy import Connection

TICK = 0.5  # seconds between two looks at the own lock
# A cut line is noticed within ten seconds or so, well before others may take the work over …
_LINE = {
    "application_name": "vtsconf owner",
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8000,
}
# … and by the database, which would else believe for two hours that a machine without power still holds its lock.
_ITS_LINE = """
select set_config('tcp_keepalives_idle', '4', false), set_config('tcp_keepalives_interval', '2', false),
set_config('tcp_keepalives_count', '2', false)
"""


class Owner(Protocol):
    """`name` is taken before the engine starts; `ended` says whose work may be taken over now."""

    name: str

    def take(self) -> None: ...

    def ended(self, names: Iterable[str]) -> set[str]: ...

    def release(self) -> None: ...


def owner_of(store: Store, grace: float) -> Owner:
    return FileOwner(store.lock) if store.file else DatabaseOwner(store, grace)


def new_name() -> str:
    """HOST/MACHINE/PID/NONCE; MACHINE tells apart boots and containers of one host name."""
    return f"{socket.gethostname()}/{_machine()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


def shown(name: str) -> str:
    """A name for people."""
    words = name.split("/")
    return f"process {words[2]} on {words[0]}" if len(words) == 4 else name


@functools.cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return hashlib.sha256(f"{boot} {Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:8]
    except OSError:
        return ""


def has_ended(name: str) -> bool:
    """It is certain: that process was on this machine, and is no more."""
    words = name.split("/")
    if len(words) != 4 or not words[1] or words[1] != _machine() or not words[2].isdigit():
        return False
    try:
        os.kill(int(words[2]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class FileOwner:
    """In SQLite one process at a time is the engine, so all others have ended."""

    def __init__(self, path: Path) -> None:
        self.name = new_name()
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises Locked, with who holds it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note = file.read(300).strip()
            file.close()
            raise Locked(
                f"the engine of {self._path} is run by {note or 'another process'}",
                remedy="wait until it ends; for several at a time set `store` to postgresql://…",
            ) from None
        file.truncate()
        file.write(f"{shown(self.name)} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z\n")
        file.flush()
        self._file = file

    def ended(self, names: Iterable[str]) -> set[str]:
        return {name for name in names if name != self.name}

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


class DatabaseOwner:
    """In PostgreSQL each engine holds an advisory lock on a session of its own; the session ends with the process.

    A session can end without its process: the database was restarted, or the line was cut. So a lock that is gone
    counts only when it stays away for `grace` seconds, or when the process is known to have ended.
    """

    def __init__(self, store: Store, grace: float) -> None:
        self.name = new_name()
        self._store, self._grace = store, grace
        self._guard = threading.Lock()
        self._halt = threading.Event()
        self._db: Connection | None = None
        self._is_held = False
        self._free_since: dict[str, float] = {}
        self._keeper = threading.Thread(target=self._keep, name="owner", daemon=True)

    def take(self) -> None:
        with sentences(self._store):
            self._hold()
        self._keeper.start()

    def ended(self, names: Iterable[str]) -> set[str]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._guard:
                held = self._locks()
        except SQLAlchemyError:
            self._free_since = {}
            return set()
        now = time.monotonic()
        free = {name for name in names if name != self.name and _key(name) not in held}
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        return {name for name in free if has_ended(name) or now - self._free_since[name] >= self._grace}

    def release(self) -> None:
        self._halt.set()
        if self._keeper.is_alive():
            self._keeper.join()
        self._drop()

    def _keep(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        while not self._halt.wait(TICK):
            try:
                with self._guard:
                    self._hold()
            except SQLAlchemyError:
                self._drop()

    def _hold(self) -> None:
        """Look, and take the lock where it is not ours yet. An old session of ours may hold it still: that is as good."""
        if self._db is None:
            self._db = _connect(self._store)
        if self._is_held:
            _ask(self._db, "select 1")
        else:
            self._is_held = bool(_ask(self._db, "select pg_try_advisory_lock(:key)", key=_key(self.name))[0])

    def _drop(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        with self._guard, contextlib.suppress(SQLAlchemyError):
            self._is_held = False
            self._free_since = {}
            db, self._db = self._db, None
            if db:
                db.invalidate()
                db.close()

    def _locks(self) -> set[int]:
        """The keys of all locks that are held. Raises SQLAlchemyError, also while we have no session."""
        from sqlalchemy.exc import InvalidRequestError

        if self._db is None:
            raise InvalidRequestError
        return set(_ask(self._db, _HELD))


_HELD = """
select (classid::bigint << 32) | objid::bigint from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
and database = (select oid from pg_database where datname = current_database())
"""


def _ask(db: Connection, question: str, **values: int) -> list[Any]:
    from sqlalchemy import text

    return list(db.execute(text(question), values).scalars())


def _key(name: str) -> int:
    """The number of its lock: 64 bits, signed."""
    return int.from_bytes(hashlib.sha256(f"vtsconf {name}".encode()).digest()[:8], "big", signed=True)


def _connect(store: Store) -> Connection:
    from sqlalchemy import NullPool, create_engine

    url = store.check().set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_LINE)
    db = engine.connect()
    _ask(db, _ITS_LINE)
    return db
