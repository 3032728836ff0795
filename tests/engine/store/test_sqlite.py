"""The store in a file: the contract, and what is special about a file."""

from __future__ import annotations

import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.store.contract import StoreContract, event
from vtsconf.core.errors import Refused, VtsconfError
from vtsconf.core.runs import Event
from vtsconf.core.secret import FingerprintKey, Secret
from vtsconf.engine.journal import Journal

# As the first version made it; files of that version are at the sites.
FIRST_VERSION = """
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
FILL_THE_DISK = """
import sys
from vtsconf.core.errors import VtsconfError
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
journal = Journal(sys.argv[1])
kept = 0
try:
    while True:
        journal.add(Event(at=kept, run="r", action="note", body={"text": "x" * 20_000}))
        kept += 1
except VtsconfError as error:
    print(kept, error, sep="\\n")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "down" / "vtsconf.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


class TestSqlite(StoreContract):
    @pytest.fixture
    def url(self, path: Path) -> str:
        return f"sqlite:///{path}"

    @pytest.fixture
    def raw(self, path: Path) -> Callable[[str], object]:
        def run(statement: str) -> object:
            with sqlite3.connect(path) as db:
                return db.execute(statement).fetchall()

        return run


def test_reading_makes_no_file(url: str, path: Path) -> None:
    journal = Journal(url)
    before = (journal.exists, list(journal.events()), journal.runs(), journal.claims(["a"]), path.exists())
    journal.add(event(1))

    assert (False, [], [], {}, False) == before
    assert journal.exists


def test_the_files_are_for_their_owner_only(url: str, path: Path) -> None:
    journal = Journal(url)
    journal.add(event(1))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert {"vtsconf.db": 0o600, "vtsconf.db-wal": 0o600, "vtsconf.db-shm": 0o600} == modes
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_a_file_of_the_first_version_is_brought_up_to_date(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as db:
        db.executescript(FIRST_VERSION)
        old = "insert into events (at, run, host, action, body) values (?, 'r0', 'a', 'host-settled', '{\"n\": 1}')"
        db.execute(old, (1,))
        db.execute("insert into plans values ('r0', 'a', '{}')")
        db.execute("insert into settings values ('fingerprint_key', 'abc')")
    journal = Journal(url)
    journal.add(event(2))
    with sqlite3.connect(path) as db:  # a controller that was not brought up to date yet
        db.executescript(FIRST_VERSION)
        db.execute(old, (3,))

    settled = Event(at=1, run="r0", host="a", action="host-settled", body={"n": 1})
    assert [settled, event(2), Event(**{**vars(settled), "at": 3})] == list(journal.events())
    assert {"a": "{}"} == journal.plans("r0")
    assert ["r0"] == journal.run_names()
    assert FingerprintKey(Secret(b"abc")) == journal.fingerprints
    journal.claim("r", ["a"], "ops", 1)


def test_who_makes_the_file_waits_for_another_who_does(
    url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself does not wait here; the other one is done while we sleep."""
    path.parent.mkdir(parents=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    other.execute("create table other (x)")
    monkeypatch.setattr(time, "sleep", lambda _seconds: other.execute("commit"))
    Journal(url).add(event(1))

    assert [event(1)] == list(Journal(url).events())


def test_a_file_of_a_later_version_is_left_alone(url: str, path: Path) -> None:
    Journal(url).add(event(1))
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")

    with pytest.raises(Refused, match="later version"):
        Journal(url).add(event(2))


def test_a_full_disk_is_a_sentence_and_what_was_added_is_there(url: str) -> None:
    def no_more_than_a_megabyte() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, url],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=no_more_than_a_megabyte,
    )
    kept, sentence = done.stdout.splitlines()

    assert "" == done.stderr
    assert "cannot be written: " in sentence
    assert list(range(int(kept))) == [e.at for e in Journal(url).events()]
    assert int(kept) > 10


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(VtsconfError, match="cannot be opened"):
        Journal(f"sqlite:///{tmp_path}/file/vtsconf.db").add(event(1))


@pytest.mark.parametrize("name", ["x\0y", "x\ud800y"])
def test_a_name_that_no_file_can_have_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(VtsconfError, match="cannot be opened"):
        Journal(f"sqlite:///{tmp_path}/{name}.db").add(event(1))


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 100)
    journal = Journal(f"sqlite:///{tmp_path}/x.db")

    with pytest.raises(VtsconfError, match="cannot be opened"):
        journal.add(event(1))
    with pytest.raises(VtsconfError, match="cannot be opened"):
        list(journal.events())


def test_to_find_runs_takes_no_longer_in_a_longer_journal(url: str) -> None:
    """Counted in steps of SQLite's own machine."""
    journal = Journal(url)

    def steps() -> int:
        count = [0]
        db = journal._db._opened  # type: ignore[attr-defined]
        db.set_progress_handler(lambda: count.__setitem__(0, count[0] + 1), 1)
        journal.run_names()
        journal.open_runs()
        journal.run_names(["a"])
        list(journal.events("r1"))
        db.set_progress_handler(None, 0)
        return count[0]

    for run in ("r1", "r2", "r3"):
        journal.add_all(
            [event(1, run=run, action="run-started"), event(1, run=run, action="host-started", host="a")]
        )
    before = steps()
    journal.add_all([event(n, run="r2", action="host-finished", host=f"h{n}") for n in range(5_000)])

    assert steps() < before + 10
