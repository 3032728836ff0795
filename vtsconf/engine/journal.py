"""The store on the controller: an append-only journal of events. Runs and outcomes are folds over it.

Plans are never made from it: the live server is the truth. It also keeps the controller's own
fingerprint key, so that the same secret has the same fingerprint tomorrow.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from contextlib import contextmanager
from pathlib import Path

from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.core.runs import Event, RunSeen, fold
from vtsconf.core.secret import FingerprintKey, Secret

_SCHEMA = """
create table if not exists events (
  id integer primary key autoincrement, at integer not null, run text not null,
  host text not null, action text not null, body text not null);
create index if not exists events_run on events (run, id);
create table if not exists plans (
  run text not null, host text not null, document text not null, primary key (run, host));
create table if not exists settings (name text primary key, value text not null);
create trigger if not exists events_stay before delete on events
  begin select raise(abort, 'the journal is append-only'); end;
create trigger if not exists events_stand before update on events
  begin select raise(abort, 'the journal is append-only'); end;
"""
_BUSY = 15.0  # seconds another process may hold the file


class Journal:
    """Opens the store at `url` (`sqlite:///PATH`), making it on first use with mode 0600."""

    def __init__(self, url: str) -> None:
        self._path = _path(url)
        self._guard = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = _open(self._path)
        return self._opened

    def add(self, event: Event) -> None:
        """Append; on the disk when this returns."""
        row = (event.at, event.run, event.host, event.action, json.dumps(event.body))
        with self._writing() as db:
            db.execute("insert into events (at, run, host, action, body) values (?, ?, ?, ?, ?)", row)

    def add_all(self, events: Sequence[Event]) -> None:
        """Append several, all or none."""
        rows = [(e.at, e.run, e.host, e.action, json.dumps(e.body)) for e in events]
        with self._writing() as db:
            db.executemany("insert into events (at, run, host, action, body) values (?, ?, ?, ?, ?)", rows)

    def keep_plans(self, run: str, documents: Mapping[str, str]) -> None:
        """The plan documents of a run, by host."""
        with self._writing() as db:
            db.executemany("insert or replace into plans values (?, ?, ?)", [(run, h, d) for h, d in documents.items()])

    def claims(self, hosts: Sequence[str]) -> dict[str, Any]:
        """Who holds these servers."""
        return {}

    def claim(self, run: str, hosts: Sequence[str], *, holder: str, at: int) -> None:
        """Hold these servers until `release`."""

    def release(self, run: str) -> None:
        """Let go of all servers of a run."""

    def keep_plan(self, run: str, host: str, document: str) -> None:
        """A host's plan document, for the rollback."""
        with self._writing() as db:
            db.execute("insert or replace into plans values (?, ?, ?)", (run, host, document))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a full disk or a lost file is a sentence."""
        try:
            with self._guard, self._db as db:
                yield db
        except sqlite3.Error as error:
            raise VtsconfError(f"the journal {self._path} cannot be written: {error}") from error

    def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]:
        """The plan documents of a run, by host; only of these hosts where they are named."""
        only = f" and host in ({', '.join('?' * len(hosts))})" if hosts is not None else ""
        with self._guard:
            rows = self._db.execute(
                f"select host, document from plans where run = ?{only} order by host",  # noqa: S608 fixed text
                (run, *(hosts or ())),
            )
            return dict(rows.fetchall())

    def events(self, run: str | None = None, *, after: int = 0) -> Iterator[Event]:
        """All events of a run, or of all runs, in order; `after` an id, those that came later."""
        where, values = ("and run = ?", (run,)) if run else ("", ())
        with self._guard:
            rows = self._db.execute(
                f"select id, at, run, host, action, body from events where id > ? {where} order by id",
                (after, *values),
            ).fetchall()
        for number, at, name, host, action, body in rows:
            yield Event(id=number, at=at, run=name, host=host, action=action, body=json.loads(body))

    def runs(self) -> list[RunSeen]:
        """Every run, oldest first; none where there is no journal yet."""
        return fold(self.events()) if self.exists else []

    @property
    def exists(self) -> bool:
        return self._path.exists()

    @property
    def fingerprints(self) -> FingerprintKey:
        """The controller's key, made on first use."""
        with self._guard, self._db as db:
            made = os.urandom(32).hex()
            db.execute("insert or ignore into settings values ('fingerprint_key', ?)", (made,))
            (value,) = db.execute("select value from settings where name = 'fingerprint_key'").fetchone()
        return FingerprintKey(Secret(value.encode()))

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _path(url: str) -> Path:
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgresql+")):
        raise Refused(
            "this version keeps its journal in SQLite only",
            remedy="set store to sqlite:///PATH; PostgreSQL comes with fleet rollouts",
        )
    raise Usage(f"the store {url!r} is not an URL that is known", remedy="write sqlite:///PATH")


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, timeout=_BUSY, check_same_thread=False)
        db.execute("pragma journal_mode=wal")
        db.executescript(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise VtsconfError(
            f"the journal {path} cannot be opened: {error}",
            remedy="without a journal nothing is changed; set `store` in vtsconf.toml to a place you can write",
        ) from error
    return db
