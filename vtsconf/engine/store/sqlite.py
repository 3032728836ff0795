"""The store in one file, through the standard library: opens in a millisecond, needs no server."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vtsconf.core.errors import StoreLost, VtsconfError
from vtsconf.core.printable import printable
from vtsconf.engine.store.database import Result, Row, Transaction, of_later_version

_BUSY = 30.0  # seconds another process may hold the file
# Each entry takes the file one version further (`pragma user_version`). Versions that were released stay as they are.
_VERSIONS = (
    (  # files of the first version have these tables and the number 0
        """
        create table if not exists events (
          id integer primary key autoincrement, at integer not null, run text not null,
          host text not null, action text not null, body text not null)
        """,
        "create index if not exists events_run on events (run, id)",
        """
        create table if not exists plans (
          run text not null, host text not null, document text not null, primary key (run, host))
        """,
        "create table if not exists settings (name text primary key, value text not null)",
        """
        create trigger if not exists events_stay before delete on events
          begin select raise(abort, 'the journal is append-only'); end
        """,
        """
        create trigger if not exists events_stand before update on events
          begin select raise(abort, 'the journal is append-only'); end
        """,
    ),
    (
        "alter table events add column key text",  # older events have none
        "create unique index events_key on events (key)",
        """
        create index events_course on events (action, run)
          where action = 'run-started' or action = 'run-finished' or action = 'host-settled'
        """,
        "create index events_host on events (host, run) where host <> ''",
        """
        create table claims (
          host text primary key, run text not null, holder text not null, since integer not null)
        """,
        "create index claims_run on claims (run)",
    ),
    (  # tapes
        """
        create table jobs (
          id text primary key, run text not null, host text not null, path text not null, action text not null,
          bma text not null, policy text not null, priority integer not null, seq integer not null,
          bytes integer not null, state text not null, status text not null, reason text not null,
          not_before integer not null, attempt integer not null, owner text not null, updated integer not null,
          wish text not null, body text not null)
        """,
        "create index jobs_turn on jobs (state, priority, seq)",
        "create index jobs_run on jobs (run, seq)",
        """
        create table proofs (
          host text not null, path text not null, token text not null, size integer not null, mtime integer not null,
          inode integer not null, bma text not null, at integer not null, body text not null,
          primary key (host, path, token))
        """,
        """
        create table troubles (
          kind text not null, name text not null, count integer not null, since integer not null,
          reason text not null, primary key (kind, name))
        """,
    ),
    (
        "create index jobs_sums on jobs (state, updated, status, policy, not_before, bytes)",
    ),  # sums read nothing else
)


class Sqlite:
    """The file at `path`; made on first use with mode 0600, its folder with 0700."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._guard = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Reading makes no file."""
        if self._opened is None and not self.exists:
            return []
        with self._using("read") as db:
            return _Open(db).read(statement, values)

    def write(self, statement: str, rows: Sequence[Row]) -> None:
        self.transact(lambda open_: open_.write(statement, rows))

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        with self._using("written") as db, db:  # commits, or rolls back
            db.execute("begin immediate")
            return work(_Open(db))

    def among(self, column: str) -> str:
        return f"{column} in (select value from json_each(?))"  # noqa: S608 a column of ours

    def listed(self, names: Sequence[str]) -> str:
        return json.dumps(list(names))

    def close(self) -> None:
        with self._guard:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    @contextmanager
    def _using(self, done: str) -> Iterator[sqlite3.Connection]:
        """A full disk or a lost file is a sentence."""
        with self._guard:
            if self._opened is None:
                self._opened = _open(self._path)
            try:
                yield self._opened
            except (sqlite3.Error, UnicodeError) as error:
                raise StoreLost(f"the journal {self._path} cannot be {done}: {_said(error)}") from error


class _Open:
    """A transaction, or a lone statement."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._db.execute(statement, values).fetchall()

    def write(self, statement: str, rows: Sequence[Row]) -> None:
        self._db.executemany(statement, rows)


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise _unopened(path, error) from error
    try:
        db.execute("pragma synchronous = full")  # what is committed is on the disk
        _bring_up_to_date(db, path)
    except sqlite3.Error as error:
        db.close()
        raise _unopened(path, error) from error
    return db


def _bring_up_to_date(db: sqlite3.Connection, path: Path) -> None:
    version = _version(db)
    if version > len(_VERSIONS):
        db.close()
        raise of_later_version(str(path))
    if version == len(_VERSIONS):
        return
    _use_wal(db)
    with db:
        db.execute("begin immediate")
        for statements in _VERSIONS[_version(db) :]:  # another process may have been quicker
            for statement in statements:
                db.execute(statement)
        db.execute(f"pragma user_version = {len(_VERSIONS)}")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("pragma user_version").fetchone()[0])


def _use_wal(db: sqlite3.Connection) -> None:
    """SQLite does not wait by itself for others who do the same at this moment."""
    deadline = time.monotonic() + _BUSY
    while True:
        try:
            db.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _unopened(path: Path, error: Exception) -> VtsconfError:
    return VtsconfError(
        f"the journal {path} cannot be opened: {_said(error)}",
        remedy="without a journal nothing is changed; set `store` in vtsconf.toml to a place you can write",
    )


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "a text is not valid Unicode"
    return printable(str(error))
