"""The store in PostgreSQL, for several controllers: tables in a schema of its own, one connection a process.

It must be a direct connection, or one through a pooler that leaves a session alone: what a session sets is kept.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import conninfo, errors, sql

from vtsconf.core.errors import Refused, StoreLost, Usage, VtsconfError
from vtsconf.core.printable import printable
from vtsconf.engine.store.database import KNOWN, Result, Row, Transaction, of_later_version

Connection = psycopg.Connection[Row]

_NEWS = int.from_bytes(b"vtsnews", "big")  # advisory lock: who appends to the journal
_MAKING = int.from_bytes(b"vtsmake", "big")  # advisory lock: who makes the tables
_DEFAULTS = {  # libpq's words; what the URL says goes before them
    "application_name": "vtsconf",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # ms until a network that is gone is seen to be gone
}
# A controller that is frozen in a transaction must not stop the others; a lock that is not free soon is tried again.
_SESSION = """
set search_path = vtsconf;
set default_transaction_isolation = 'read committed';
set idle_in_transaction_session_timeout = '15s';
set lock_timeout = '20s';
select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
"""
_PASSING = (  # what goes by when it is tried again
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.TooManyConnections,
    errors.CannotConnectNow,
    errors.ReadOnlySqlTransaction,  # after a switch-over: the server that was the first one
)
# Each entry takes the tables one version further (`versions`). Versions that were released stay as they are.
# Names sort by their bytes, as in SQLite and in Python.
_VERSIONS = (
    f"""
create table vtsconf.versions (version integer primary key);
create table vtsconf.settings (name text collate "C" primary key, value text not null);
create table vtsconf.events (
  id bigint generated always as identity primary key, at bigint not null, run text collate "C" not null,
  host text collate "C" not null, action text collate "C" not null, body text not null,
  key text collate "C" not null unique);
create index events_run on vtsconf.events (run, id);
create index events_course on vtsconf.events (action, run)
  where action = 'run-started' or action = 'run-finished' or action = 'host-settled';
create index events_host on vtsconf.events (host, run) where host <> '';
create table vtsconf.plans (
  run text collate "C" not null, host text collate "C" not null, document text not null, primary key (run, host));
create table vtsconf.claims (
  host text collate "C" primary key, run text collate "C" not null, holder text not null, since bigint not null);
create index claims_run on vtsconf.claims (run);

create function vtsconf.events_stand() returns trigger language plpgsql as
  $$ begin raise exception 'the journal is append-only'; end $$;
create trigger events_stand before update or delete or truncate on vtsconf.events
  for each statement execute function vtsconf.events_stand();

-- Ids are given before a transaction commits. One appender at a time: so they also appear in their order.
create function vtsconf.events_in_line() returns trigger language plpgsql as
  $$ begin perform pg_advisory_xact_lock({_NEWS}); return null; end $$;
create trigger events_in_line before insert on vtsconf.events
  for each statement execute function vtsconf.events_in_line();
""",
    # tapes
    """
create table vtsconf.jobs (
  id text collate "C" primary key, run text collate "C" not null, host text collate "C" not null, path text not null,
  action text not null, bma text collate "C" not null, policy text collate "C" not null, priority integer not null,
  seq bigint not null, bytes bigint not null, state text not null, status text not null, reason text not null,
  not_before bigint not null, attempt integer not null, owner text not null, updated bigint not null,
  wish text not null, body text not null);
create index jobs_turn on vtsconf.jobs (state, priority, seq);
create index jobs_run on vtsconf.jobs (run, seq);
create table vtsconf.proofs (
  host text collate "C" not null, path text collate "C" not null, token text collate "C" not null,
  size bigint not null, mtime bigint not null, inode bigint not null, bma text not null, at bigint not null,
  body text not null, primary key (host, path, token));
create table vtsconf.troubles (
  kind text collate "C" not null, name text collate "C" not null, count integer not null, since bigint not null,
  reason text not null, primary key (kind, name));
""",
    # sums read nothing else
    "create index jobs_sums on vtsconf.jobs (state, updated, status, policy, not_before, bytes)",
)
_ESCAPE = "write a special character of a user, password or database as %XX, an @ as %40; or keep the password in ~/.pgpass"

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # what matters of its news is in our sentences


class Postgresql:
    """The schema `vtsconf` of the database at `url`, made on first use.

    A connection that is lost is made again, and what was being done is done again, for `patience` seconds. The first
    connection is tried once: so a wrong address is told at once.
    """

    exists = True

    def __init__(self, url: str, patience: float) -> None:
        _must_be_clear(url)
        self._url = url
        self._patience = patience
        self._guard = threading.Lock()
        self._db: Connection | None = None
        self._is_known = False  # it was reached once, and the tables are there
        self._given_up: tuple[float, VtsconfError] | None = None  # when a call last did, and why
        self._name = "in PostgreSQL"

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._patiently("read", lambda db: _Open(db).read(statement, values))

    def write(self, statement: str, rows: Sequence[Row]) -> None:
        if len(rows) == 1:  # a statement alone is a transaction
            self._patiently("written", lambda db: _Open(db).write(statement, rows))
        else:
            self.transact(lambda open_: open_.write(statement, rows))

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        def whole(db: Connection) -> Result:
            with db.transaction():
                return work(_Open(db))

        return self._patiently("written", whole)

    def among(self, column: str) -> str:
        return f"{column} = any(?)"

    def listed(self, names: Sequence[str]) -> list[str]:
        return list(names)

    def close(self) -> None:
        with self._guard:
            self._drop()

    # ---- the connection

    def _patiently(self, done: str, work: Callable[[Connection], Result]) -> Result:
        began = time.monotonic()
        pause = 0.05
        with self._guard:
            self._give_up_with_others(began)
            while True:
                try:
                    return work(self._connected())
                except (psycopg.Error, UnicodeError) as error:
                    told = self._told(done, error)
                    if not self._may_pass(error) or time.monotonic() + pause > began + self._patience:
                        self._given_up = (time.monotonic(), told)
                        raise told from error
                time.sleep(pause)
                pause = min(pause * 1.5, 1.0)

    def _give_up_with_others(self, began: float) -> None:
        """Many calls wait for one connection: what was tried while this one waited was tried for it too."""
        if self._db is None and self._given_up:
            when, why = self._given_up
            if when - began > self._patience / 2:
                raise why

    def _connected(self) -> Connection:
        if self._db is None:
            self._db = self._connect()
        return self._db

    def _connect(self) -> Connection:
        words = _DEFAULTS | _words(self._url)
        db = psycopg.connect(**words, client_encoding="UTF8", autocommit=True)
        try:
            self._name = f"in PostgreSQL ({db.info.dbname} at {db.info.host}:{db.info.port})"
            db.execute(_SESSION)
            if not self._is_known:
                _bring_up_to_date(db, self._name)
        except BaseException:
            db.close()
            raise
        self._is_known = True
        return db

    def _may_pass(self, error: Exception) -> bool:
        """Worth another try: the connection was lost, or somebody was in the way. Drops what is of no use."""
        if isinstance(error, _PASSING):
            if isinstance(error, errors.ReadOnlySqlTransaction):
                self._drop()
            return True
        if self._db is None:  # it could not be reached
            return self._is_known and not _asked_for_a_password(error)
        if self._db.closed:
            self._drop()
            return True
        return False

    def _told(self, done: str, error: Exception) -> VtsconfError:
        what = f"cannot be {done}" if self._db else "cannot be reached"
        remedy = "without a journal nothing is changed; see that `store` in vtsconf.toml is right, and its server up"
        return StoreLost(f"the journal {self._name} {what}: {_said(error)}", remedy=remedy)

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class _Open:
    """A transaction, or a lone statement."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._db.execute(_worded(statement), values).fetchall()

    def write(self, statement: str, rows: Sequence[Row]) -> None:
        with self._db.cursor() as cursor:
            if len(rows) == 1:  # one round trip
                cursor.execute(_worded(statement), rows[0])
            else:
                cursor.executemany(_worded(statement), rows)


def _worded(statement: str) -> bytes:
    """Our statements hold no other question mark, and no percent sign."""
    return statement.replace("?", "%s").encode()


def _must_be_clear(url: str) -> None:
    """A password with an @ or a / in it would be taken for something else, and then shown as a host or a port."""
    place, _, options = url.removeprefix("postgresql://").partition("?")
    login = place.rpartition("@")[0]
    if "@" in options or "@" in login or "/" in login:
        raise Usage("the URL of the store can be read in more than one way", remedy=_ESCAPE)


def _words(url: str) -> dict[str, Any]:
    """What libpq makes of the URL, by its words."""
    try:
        words = conninfo.conninfo_to_dict(url)
    except psycopg.Error:  # its text may hold a piece of a password
        raise _unclear() from None
    port = str(words.get("port", ""))
    if not re.fullmatch("[0-9,]*", port):  # `USER:PASSWORD` without a host reads as HOST:PORT
        raise _unclear()
    return words


def _unclear() -> Usage:
    return Usage("the URL of the store is not one that PostgreSQL understands", remedy=f"{KNOWN}; {_ESCAPE}")


def _asked_for_a_password(error: Exception) -> bool:
    """So a server is up, and does not let us in: to try again could lock us out."""
    pgconn = error.pgconn if isinstance(error, psycopg.Error) else None
    return bool(pgconn and (pgconn.used_password or pgconn.needs_password))


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "a text is not valid Unicode"
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return printable(primary or str(error) or type(error).__name__)


# ---- the tables

# Asked of the catalogue's tables: `to_regclass` and its like may answer from a cache that is older than our lock.
_HAS_SCHEMA = "select true from pg_namespace where nspname = 'vtsconf'"
_HAS_TABLES = "select true from pg_tables where schemaname = 'vtsconf' and tablename = 'versions'"


def _bring_up_to_date(db: Connection, name: str) -> None:
    try:
        if _version(db, name) == len(_VERSIONS):
            return
        with db.transaction():
            db.execute("select pg_advisory_xact_lock(%s)", (_MAKING,))
            _make(db, name)
    except errors.InsufficientPrivilege as error:
        raise _not_allowed(db, name, error) from error


def _make(db: Connection, name: str) -> None:
    version = _version(db, name)  # another controller may have been quicker
    if version == len(_VERSIONS):
        return
    if not _ask(db, _HAS_SCHEMA):
        db.execute("create schema vtsconf")
    for statements in _VERSIONS[version:]:
        db.execute(statements.encode())
    db.execute("insert into vtsconf.versions values (%s)", (len(_VERSIONS),))


def _version(db: Connection, name: str) -> int:
    """0: nothing is there."""
    if not _ask(db, _HAS_TABLES):
        return 0
    version = int(_ask(db, "select max(version) from vtsconf.versions") or 0)
    if version > len(_VERSIONS):
        raise of_later_version(name)
    return version


def _ask(db: Connection, question: str) -> Any:
    row = db.execute(question.encode()).fetchone()
    return row[0] if row else None


def _not_allowed(db: Connection, name: str, error: psycopg.Error) -> Refused:
    role = printable(sql.Identifier(db.info.user).as_string(db))
    if _ask(db, _HAS_SCHEMA):
        what, remedy = "used", f"let the owner of the schema vtsconf grant {role} what docs/store.md lists"
    else:
        what = "made"
        remedy = f"let the owner of the database say: create schema vtsconf authorization {role}"
    return Refused(f"the journal {name} cannot be {what}: {_said(error)}", remedy=remedy)
