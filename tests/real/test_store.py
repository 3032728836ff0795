"""The store in a real PostgreSQL: the contract, and what can happen to a server that others use and operators restart."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.engine.store.contract import StoreContract, event
from tests.real.cutting import CutWay
from tests.real.postgres import Postgres
from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.engine.journal import Journal

# Writes, claims and lets go until it is told to stop; says how often.
CONTROLLER = """
import sys, threading
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
url, name = sys.argv[1:]
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
journal, number = Journal(url), 0
while number < 100 or not stop.is_set():
    journal.claim(name, [name, name + "b"], "ops", number)
    journal.add(Event(at=number, run=name, action="note"))
    journal.add_all([Event(at=number, run=name, action="part", body={"part": part}) for part in range(3)])
    journal.keep_plans(name, {f"{number % 7}": f"{number}", "last": f"{number}"})
    journal.release(name)
    number += 1
print(number)
"""
PASSWORDS = ["a@b", "a:b", "a/b", "a?b#c", "100%", "' \" \\ é 磁 &=+", "x" * 200]
_names = itertools.count()


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.fresh()


@pytest.fixture
def sudo(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as db:
        yield db


class TestPostgresql(StoreContract):
    @pytest.fixture
    def url(self, postgres: Postgres) -> str:
        return postgres.fresh()

    @pytest.fixture
    def raw(self, url: str) -> Callable[[str], object]:
        def run(statement: str) -> object:
            with psycopg.connect(url, options="-csearch_path=vtsconf") as db:
                return db.execute(statement.encode())

        return run

    def test_the_journal_cannot_be_emptied_at_once(
        self, journal: Journal, raw: Callable[[str], object]
    ) -> None:
        journal.add(event(1))
        with pytest.raises(psycopg.Error, match="append-only"):
            raw("truncate events")

        assert [event(1)] == list(journal.events())


# ---- it goes away and comes back


def test_a_restart_and_a_crash_lose_nothing_and_double_nothing(postgres: Postgres, url: str) -> None:
    names = ["one", "two"]
    controllers = [
        subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    journal = Journal(url)

    def have_moved_on() -> None:
        """All of them have written again since now."""
        now = {name: len(list(journal.events(name))) for name in names}
        until(lambda: all(len(list(journal.events(name))) > now[name] + 20 for name in names), controllers)

    have_moved_on()
    postgres.restart()
    have_moved_on()
    postgres.kill()
    postgres.start()
    have_moved_on()
    told = [controller.communicate("\n", timeout=120) for controller in controllers]

    assert ["", ""] == [error for _, error in told]
    for name, (count, _) in zip(names, told, strict=True):
        written = list(journal.events(name))
        each = [event(n, action="note", run=name) for n in range(int(count))]
        assert each == [e for e in written if e.action == "note"]
        assert [(n, p) for n in range(int(count)) for p in range(3)] == [
            (e.at, e.body["part"]) for e in written if e.action == "part"
        ]
        assert str(int(count) - 1) == journal.plans(name)["last"]
    assert {} == journal.claims(["one", "oneb", "two", "twob"])


@pytest.mark.parametrize("many", [1, 5])
def test_a_write_whose_answer_was_lost_is_not_done_twice(postgres: Postgres, url: str, many: int) -> None:
    events = [event(number) for number in range(many)]
    before = event(99)
    with CutWay(postgres.port) as way:
        journal = Journal(url.replace(f":{postgres.port}", f":{way.port}"))
        journal.add(before)
        way.hold_answers_after(b"insert into events" if many == 1 else b"COMMIT")
        writer = threading.Thread(target=journal.add_all, args=(events,))
        writer.start()
        until(lambda: len(list(Journal(url).events())) == 1 + many)
        assert writer.is_alive()
        way.cut()
        writer.join(60)
        connections = way.connections

    assert 2 == connections
    assert [before, *events] == list(Journal(url).events())


def test_a_claim_whose_answer_was_lost_is_ours(postgres: Postgres, url: str) -> None:
    with CutWay(postgres.port) as way:
        journal = Journal(url.replace(f":{postgres.port}", f":{way.port}"))
        assert not journal.runs()
        way.hold_answers_after(b"COMMIT")
        claimer = threading.Thread(target=journal.claim, args=("r", ["a", "b"], "ops", 1))
        claimer.start()
        until(lambda: len(Journal(url).claims(["a", "b"])) == 2)
        way.cut()
        claimer.join(60)

    assert {"a", "b"} == set(Journal(url).claims(["a", "b"]))


def test_a_reader_in_the_middle_reads_on(postgres: Postgres, url: str) -> None:
    journal = Journal(url)
    journal.add_all([event(number) for number in range(2_500)])
    reading = journal.events()
    first = next(reading)
    postgres.restart()

    assert [event(number) for number in range(2_500)] == [first, *reading]


@pytest.mark.parametrize("patience", [0, 0.3])
def test_one_that_stays_away_is_a_sentence_and_is_found_again(
    postgres: Postgres, url: str, patience: float
) -> None:
    journal = Journal(url, patience=patience)
    journal.add(event(1))
    postgres.kill()
    said: list[str] = []

    def try_it(number: int) -> None:
        try:
            journal.add(event(number))
        except VtsconfError as error:
            said.append(str(error))

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    postgres.start()
    journal.add(event(10))

    assert 8 == len(said)
    assert all("cannot be " in sentence and str(postgres.port) in sentence for sentence in said)
    assert [event(1), event(10)] == list(journal.events())


def test_what_is_not_there_at_first_is_told_at_once() -> None:
    """It would hang here for an hour if it were tried again."""
    with pytest.raises(VtsconfError, match="cannot be reached") as told:
        Journal("postgresql://u:S3cret@127.0.0.1:1/db", patience=3600).runs()

    assert "S3cret" not in str(told.value)
    assert told.value.remedy


# ---- the order of events


def test_no_event_appears_below_one_that_was_seen(url: str, sudo: psycopg.Connection) -> None:
    """An append that has its id and is not committed yet holds the next one up."""
    journal = Journal(url)
    journal.runs()
    insert = (
        "insert into vtsconf.events (at, run, host, action, body, key) values (1, 'r', '', 'note', '{}', 'k')"
    )
    waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    with psycopg.connect(url) as early:
        early.execute(insert.encode())
        writer = threading.Thread(target=journal.add, args=(event(2),))
        writer.start()
        until(lambda: sudo.execute(waiting).fetchone() is not None or not writer.is_alive())
        seen = list(Journal(url).events())
        early.commit()
    writer.join(60)

    assert [] == seen
    assert [event(1), event(2)] == list(journal.events())


# ---- roles and passwords


def role(db: psycopg.Connection, password: str | None = None, name: str = "") -> str:
    """Its name; it may connect and no more."""
    name = name or f"role{next(_names)}"
    made = sql.SQL("create role {} login").format(sql.Identifier(name))
    if password is not None:
        made += sql.SQL(" password {}").format(sql.Literal(password))
    db.execute(made)
    return name


def as_role(url: str, name: str, password: str = "") -> str:
    login = quote(name, safe="") + (f":{quote(password, safe='')}" if password else "")
    return url.replace("vtsconf@", f"{login}@")


def test_a_role_that_may_not_make_the_schema_is_told_what_to_ask_for(
    url: str, sudo: psycopg.Connection
) -> None:
    name = role(sudo, name=f"we\"ird '{next(_names)}")
    journal = Journal(as_role(url, name))
    with pytest.raises(Refused, match="cannot be made: permission denied") as told:
        journal.add(event(1))
    sudo.execute(told.value.remedy.partition(": ")[2].encode())
    journal.add(event(1))

    assert [event(1)] == list(journal.events())


def test_a_role_without_rights_on_the_tables_is_told_so(url: str, sudo: psycopg.Connection) -> None:
    Journal(url).add(event(1))
    with pytest.raises(Refused, match="cannot be used: permission denied for schema") as told:
        Journal(as_role(url, role(sudo))).runs()

    assert "grant" in told.value.remedy


def test_an_auditor_may_read_and_no_more(url: str, sudo: psycopg.Connection) -> None:
    Journal(url).add(event(1))
    name = role(sudo)
    sudo.execute(f"grant usage on schema vtsconf to {name}".encode())
    tables = "vtsconf.versions, vtsconf.events, vtsconf.plans, vtsconf.claims"
    sudo.execute(f"grant select on {tables} to {name}".encode())
    journal = Journal(as_role(url, name))

    assert [event(1)] == list(journal.events())
    assert ({}, {}) == (journal.plans("r"), journal.claims(["a"]))
    with pytest.raises(VtsconfError, match="cannot be written: permission denied"):
        journal.add(event(2))
    with pytest.raises(VtsconfError, match="permission denied"):
        _ = journal.fingerprints


def test_a_controller_need_not_own_the_tables(url: str, sudo: psycopg.Connection) -> None:
    """With the rights that docs/store.md lists it can do all that a controller does, and cannot take a trigger away."""
    Journal(url).add(event(1))
    name = role(sudo)
    for grant in (
        "usage on schema vtsconf",
        "insert, select on vtsconf.events, vtsconf.plans, vtsconf.claims, vtsconf.settings",
        "update on vtsconf.plans",
        "delete on vtsconf.claims",
        "select on vtsconf.versions",
    ):
        sudo.execute(f"grant {grant} to {name}".encode())
    journal = Journal(as_role(url, name))
    journal.add(event(2))
    journal.keep_plans("r", {"a": "1"})
    journal.keep_plans("r", {"a": "2"})
    journal.claim("r", ["a"], "ops", 1)
    journal.release("r")

    assert [event(1), event(2)] == list(journal.events())
    assert journal.fingerprints == Journal(url).fingerprints
    with psycopg.connect(as_role(url, name)) as db, pytest.raises(psycopg.Error, match="must be owner"):
        db.execute("drop trigger events_stand on vtsconf.events")


def test_tables_of_a_later_version_are_left_alone(url: str, sudo: psycopg.Connection) -> None:
    Journal(url).add(event(1))
    sudo.execute("insert into vtsconf.versions values (99)")

    with pytest.raises(Refused, match="later version"):
        Journal(url).add(event(2))


def test_what_others_keep_in_the_database_is_left_alone(url: str, sudo: psycopg.Connection) -> None:
    sudo.execute(
        "create table events (mine text); create table plans (mine text); insert into events values ('x')"
    )
    Journal(url).add(event(1))

    assert [("x",)] == sudo.execute("select * from public.events").fetchall()


@pytest.fixture
def asking(postgres: Postgres) -> Iterator[Callable[[str], None]]:
    """A role of which the server wants a password."""
    hba = postgres.directory / "data" / "pg_hba.conf"
    before = hba.read_text()

    def ask(name: str) -> None:
        hba.write_text(f'host all "{name}" 127.0.0.1/32 scram-sha-256\n{before}')
        postgres.restart()

    yield ask
    hba.write_text(before)
    postgres.start()
    postgres.restart()


def test_a_password_may_hold_anything_and_is_never_shown(
    postgres: Postgres, url: str, asking: Callable[[str], None]
) -> None:
    name = f"role{next(_names)}"
    asking(name)
    with psycopg.connect(url, autocommit=True) as db:
        role(db, "first", name)
        db.execute(f"create schema vtsconf authorization {name}".encode())
        for password in PASSWORDS:
            db.execute(
                sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(password))
            )
            Journal(as_role(url, name, password)).add(event(1))
            with pytest.raises(VtsconfError, match="password authentication failed") as told:
                Journal(as_role(url, name, f"{password}Wr0ng")).runs()
            assert "Wr0ng" not in everything(told.value)

    assert len(PASSWORDS) == len(list(Journal(url).events()))


def test_a_server_that_says_no_is_not_asked_again(
    postgres: Postgres, url: str, asking: Callable[[str], None]
) -> None:
    """Who tries a wrong password a hundred times is locked out, or found."""
    name = f"role{next(_names)}"
    asking(name)
    with psycopg.connect(url, autocommit=True) as db:
        role(db, "old", name)
        db.execute(f"create schema vtsconf authorization {name}".encode())
        journal = Journal(as_role(url, name, "old"))
        journal.add(event(1))
        db.execute(f"alter role {name} password 'new'".encode())
    postgres.restart()
    with pytest.raises(VtsconfError, match="password authentication failed"):
        journal.add(event(2))

    assert 1 == postgres.log.read_text().count(f'password authentication failed for user "{name}"')


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://u:S3cret@rest@127.0.0.1/db",
        "postgresql://u:x@S3cret/rest@127.0.0.1/db",
        "postgresql://u:S3cret/rest@127.0.0.1/db",
        "postgresql://u:S3cret?rest@127.0.0.1/db",
        "postgresql://u:S3cret%zz@127.0.0.1/db",
        "postgresql://u:S3cret%00@127.0.0.1/db",
        "postgresql://u:S3cret",
        "postgresql://u:x@127.0.0.1:S3cret/db",
        "postgresql://u:S3cret@[127.0.0.1/db",
        "postgresql://u@127.0.0.1/db?password=S3cret&bogus=1",
        "postgresql://u@127.0.0.1/db?password=S3cret%zz",
        "postgresql://u@127.0.0.1/db?passwort=S3cret",
        "postgresql://u@127.0.0.1/db?S3cret",
        "postgresql://u@127.0.0.1/db?password=S3c@ret",
    ],
)
def test_a_url_that_is_wrong_is_a_sentence_without_any_of_its_secrets(store: str) -> None:
    with pytest.raises(Usage) as told:
        Journal(store).runs()

    assert "%40" in told.value.remedy
    assert "S3c" not in everything(told.value)


def everything(error: BaseException | None) -> str:
    """All that a traceback would say."""
    words = []
    while error is not None:
        words += [str(error), repr(error), getattr(error, "remedy", "")]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(words)


def until(holds: Callable[[], bool], running: list[subprocess.Popen[str]] | None = None) -> None:
    """Waits; fails when a process that should go on has ended."""
    deadline = time.monotonic() + 60
    while not holds():
        ended = [process for process in running or [] if process.poll() is not None]
        assert not ended, ended[0].communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
