"""The store on the controller: an append-only journal of events. Runs and outcomes are folds over it.

Plans are never made from it: the live server is the truth. It also keeps the controller's own
fingerprint key, so that the same secret has the same fingerprint tomorrow.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vtsconf.core.errors import Refused, Usage, VtsconfError
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
_IN_DOUBT = "in doubt"
_BUSY = 15.0  # seconds another process may hold the file


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the journal. `action`: run-started, host-started, host-finished, host-settled, run-finished.

    A host-settled tells how a host's part ended that had been left armed or in doubt.
    """

    at: int
    run: str
    action: str
    host: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class RunSeen:
    """A run, folded from its events."""

    run: str
    started: int = 0
    finished: int = 0
    command: str = ""
    by: str = ""
    revision: str = ""
    reverses: str = ""
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """It never said that it ended: its controller was killed, or is still at work."""
        return self.finished == 0 and not self.is_strange

    @property
    def is_strange(self) -> bool:
        """Another controller's run: only its end was decided from here."""
        return not self.command

    def is_unsettled(self, host: str) -> bool:
        """The journal does not know whether the server kept what this run did there."""
        entry = self.hosts.get(host, {})
        outcome, reason = entry.get("outcome"), entry.get("reason") or ""
        return outcome in ("waiting", _IN_DOUBT) or (
            outcome == "unreachable" and reason.startswith(_IN_DOUBT)
        )


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

    def plans(self, run: str) -> dict[str, str]:
        with self._guard:
            rows = self._db.execute("select host, document from plans where run = ? order by host", (run,))
            return dict(rows.fetchall())

    def events(self, run: str | None = None) -> Iterator[Event]:
        """All events of a run, or of all runs, in order."""
        where, values = ("where run = ?", (run,)) if run else ("", ())
        with self._guard:
            rows = self._db.execute(
                f"select at, run, host, action, body from events {where} order by id",  # noqa: S608 fixed text
                values,
            ).fetchall()
        for at, name, host, action, body in rows:
            yield Event(at=at, run=name, host=host, action=action, body=json.loads(body))

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


def fold(events: Iterator[Event] | Sequence[Event]) -> list[RunSeen]:
    """Runs from events: cut the events anywhere, and the fold says what is known so far."""
    runs: dict[str, RunSeen] = {}
    for event in events:
        run = runs.setdefault(event.run, RunSeen(run=event.run, started=event.at))
        match event.action:
            case "run-started":
                run.started, run.command = event.at, event.body.get("command", "")
                run.by, run.revision = event.body.get("by", ""), event.body.get("revision", "")
                run.reverses = event.body.get("reverses", "")
                run.hosts = {name: {"outcome": "", "reason": ""} for name in event.body.get("hosts", [])}
            case "host-started":
                run.hosts.setdefault(event.host, {})["outcome"] = _IN_DOUBT
            case "host-finished" | "host-settled":
                run.hosts.setdefault(event.host, {}).update(event.body)
            case "run-finished":
                run.finished = event.at
            case _:
                pass
    return list(runs.values())


def find(runs: Sequence[RunSeen], wanted: str) -> RunSeen:
    """The run of that name, or the only one that begins so. Raises Usage."""
    found = [run for run in runs if run.run == wanted] or [run for run in runs if run.run.startswith(wanted)]
    if len(found) != 1:
        raise Usage(
            f"{len(found) or 'no'} runs in the journal begin with {wanted!r}",
            remedy="`vtsconf history` lists the runs",
        )
    return found[0]
