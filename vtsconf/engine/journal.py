"""The store of the controllers: an append-only journal of events. Runs and outcomes are folds over it.

Plans are never made from it: the live server is the truth. It also keeps what each run was going to do, which run
holds which server, and the fingerprint key, so that the same secret has the same fingerprint tomorrow and elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from vtsconf.core.errors import VtsconfError
from vtsconf.core.runs import Event, RunSeen, fold
from vtsconf.core.secret import FingerprintKey, Secret
from vtsconf.engine.store import claims
from vtsconf.engine.store.claims import Claim
from vtsconf.engine.store.database import Row, Transaction, database
from vtsconf.engine.store.together import Together

_PAGE = 1000  # events read at once: a long journal is never in memory as a whole
_PATIENCE = 60.0  # seconds
_APPEND = "insert into events (at, run, host, action, body, key) values (?, ?, ?, ?, ?, ?) on conflict (key) do nothing"


class Journal:
    """The store at `url` (`sqlite:///PATH` or `postgresql://…`); opened, and made, when first used. Safe for threads.

    Every call may raise VtsconfError, with a sentence that holds no password. `patience`: for how many seconds a lost
    PostgreSQL is tried again before that.
    """

    def __init__(self, url: str, *, patience: float = _PATIENCE) -> None:
        self._db = database(url, patience)
        self._events = Together(lambda rows: self._db.write(_APPEND, rows))

    # ---- events

    def add(self, event: Event) -> None:
        """Append; on the disk when this returns."""
        self.add_all((event,))

    def add_all(self, events: Sequence[Event]) -> None:
        """Append all of them in this order, or none; on the disk when this returns."""
        if not events:
            return
        key = os.urandom(16).hex()  # so that a write whose answer was lost is not done twice
        rows = [
            (e.at, e.run, e.host, e.action, json.dumps(e.body), f"{key}:{number}")
            for number, e in enumerate(events)
        ]
        self._events.add(_kept(rows))

    def events(self, run: str | None = None, *, after: int = 0) -> Iterator[Event]:
        """All events of a run, or of all runs, in order; `after` an id, those that came later.

        Nothing appears later below an id that was seen: who asks `after` the last one misses nothing.
        """
        where, values = ("run = ? and", (run,)) if run is not None else ("", ())
        while True:
            rows = self._db.read(
                f"select id, at, run, host, action, body from events where {where} id > ? order by id limit {_PAGE}",  # noqa: S608 fixed text
                (*values, after),
            )
            yield from map(_event, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    # ---- runs

    def runs(self, names: Iterable[str] | None = None) -> list[RunSeen]:
        """These runs in this order; without names every run, oldest first. None where there is no journal yet."""
        if names is None:
            return fold(self.events())
        return [run for name in names for run in fold(self.events(name))]

    def newest(self, hosts: Collection[str] | None = None) -> Iterator[RunSeen]:
        """Runs, newest first, read one by one as they are asked for; only those that began on one of `hosts`."""
        for name in reversed(self.run_names(hosts)):
            yield from self.runs((name,))

    def run_names(self, hosts: Collection[str] | None = None) -> list[str]:
        """Every run, oldest first; only those that began on one of `hosts`. Reads no events."""
        begun = (
            "select run from events where action = 'run-started'"
            " union select run from events where action = 'host-settled'"  # another controller's
        )
        values: Row = ()
        if hosts is not None:
            begun = f"select distinct run from events where host <> '' and {self._db.among('host')}"  # noqa: S608 fixed text
            values = (self._db.listed(sorted(set(hosts))),)
        rows = self._db.read(
            f"select run from ({begun}) as begun"  # noqa: S608 fixed text
            " order by (select min(id) from events where events.run = begun.run)",
            values,
        )
        return [run for (run,) in rows]

    def beginnings(self) -> list[Event]:
        """The first event of every run of ours, oldest first."""
        rows = self._db.read(
            "select id, at, run, host, action, body from events where action = 'run-started' order by id"
        )
        return [_event(row) for row in rows]

    def open_runs(self) -> list[str]:
        """Those that never said that they ended, oldest first. Reads no events."""
        rows = self._db.read(
            "select run from events where action = 'run-started'"
            " and run not in (select run from events where action = 'run-finished') order by id"
        )
        return [run for (run,) in rows]

    # ---- what runs were going to do

    def keep_plan(self, run: str, host: str, document: str) -> None:
        """A host's plan document, for the rollback."""
        self.keep_plans(run, {host: document})

    def keep_plans(self, run: str, documents: Mapping[str, str]) -> None:
        """The plan documents of a run by host: all of them, or none."""
        self._db.write(
            "insert into plans (run, host, document) values (?, ?, ?)"
            " on conflict (run, host) do update set document = excluded.document",
            _kept([(run, host, document) for host, document in documents.items()]),
        )

    def plans(self, run: str, hosts: Collection[str] | None = None) -> dict[str, str]:
        """The plan documents of a run, by host; only of these hosts where they are named."""
        only, values = ("", ()) if hosts is None else self._only(hosts)
        rows = self._db.read(
            f"select host, document from plans where run = ?{only} order by host",  # noqa: S608 fixed text
            (run, *values),
        )
        return dict(rows)

    def _only(self, hosts: Collection[str]) -> tuple[str, Row]:
        return f" and {self._db.among('host')}", (self._db.listed(sorted(set(hosts))),)

    # ---- which run holds which server

    def claim(self, run: str, hosts: Collection[str], holder: str, at: int) -> None:
        """All of these hosts for `run`, or none. Raises Locked, which says who has them. `at`: seconds since 1970.

        It outlives this process: `release` ends it. What the run has already, it keeps.
        """
        _kept([(run, holder), tuple(hosts)])
        claims.take(self._db, run, hosts, holder, at)

    def release(self, run: str) -> None:
        """Every host that the run holds."""
        claims.release(self._db, run)

    def claims(self, hosts: Collection[str]) -> dict[str, Claim]:
        """Those of these hosts that a run holds, by host."""
        return claims.held(self._db, hosts)

    # ---- the rest

    @property
    def exists(self) -> bool:
        """False: nobody has written here yet."""
        return self._db.exists

    @property
    def fingerprints(self) -> FingerprintKey:
        """The key of all controllers on this store, made on first use."""

        def make(open_: Transaction) -> str:
            made = os.urandom(32).hex()
            open_.write(
                "insert into settings (name, value) values ('fingerprint_key', ?) on conflict (name) do nothing",
                [(made,)],
            )
            ((value,),) = open_.read("select value from settings where name = 'fingerprint_key'")
            return str(value)

        return FingerprintKey(Secret(self._db.transact(make).encode()))

    def close(self) -> None:
        self._db.close()


def _event(row: Row) -> Event:
    number, at, run, host, action, body = row
    return Event(id=number, at=at, run=run, host=host, action=action, body=json.loads(body))


def _kept(rows: list[Row]) -> list[Row]:
    """These rows, where every store can keep their texts. Raises VtsconfError."""
    for text in (value for row in rows for value in row if isinstance(value, str)):
        if "\0" in text or not (text.isascii() or _is_unicode(text)):
            raise VtsconfError("the journal keeps no text that holds a NUL or is not valid Unicode")
    return rows


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True
