"""The journal: append-only, and every cut of it still makes sense."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from vtsconf.core.errors import Refused, Usage, VtsconfError
from vtsconf.engine.journal import Event, Journal, fold

RUN = [
    Event(
        at=1, run="r1", action="run-started", body={"command": "apply", "by": "ops", "hosts": ["a", "b", "c"]}
    ),
    Event(at=2, run="r1", action="host-started", host="a"),
    Event(at=3, run="r1", action="host-started", host="b"),
    Event(at=4, run="r1", action="host-finished", host="a", body={"outcome": "changed"}),
    Event(at=5, run="r1", action="run-finished", body={}),
]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(f"sqlite:///{tmp_path}/deep/down/vtsconf.db")


def test_events_come_back_in_order(journal: Journal) -> None:
    for event in RUN:
        journal.add(event)

    assert RUN == list(journal.events("r1"))


def test_an_event_can_neither_be_changed_nor_removed(journal: Journal, tmp_path: Path) -> None:
    journal.add(RUN[0])
    with sqlite3.connect(tmp_path / "deep/down/vtsconf.db") as db:
        for statement in ("delete from events", "update events set at = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)


def test_the_file_is_for_its_owner_only(journal: Journal, tmp_path: Path) -> None:
    journal.add(RUN[0])

    assert 0o600 == stat.S_IMODE((tmp_path / "deep/down/vtsconf.db").stat().st_mode)
    assert 0o700 == stat.S_IMODE((tmp_path / "deep/down").stat().st_mode)


@pytest.mark.parametrize("cut", range(1, len(RUN) + 1))
def test_cut_anywhere_a_run_says_what_is_known(cut: int) -> None:
    (run,) = fold(RUN[:cut])

    outcomes = {name: entry.get("outcome") for name, entry in run.hosts.items()}
    expected = {
        "a": {1: "", 2: "in doubt", 3: "in doubt"}.get(cut, "changed"),
        "b": "" if cut < 3 else "in doubt",
        "c": "",
    }
    assert expected == outcomes
    assert (cut < len(RUN)) == run.is_open


def test_the_fingerprint_key_stays_the_same(journal: Journal, tmp_path: Path) -> None:
    first = journal.fingerprints
    again = Journal(f"sqlite:///{tmp_path}/deep/down/vtsconf.db").fingerprints

    assert first == again
    assert first.fingerprint(b"x") != first.fingerprint(b"y")


def test_plans_are_kept_by_run_and_host(journal: Journal) -> None:
    journal.keep_plan("r1", "a", "{}")

    assert {"a": "{}"} == journal.plans("r1")
    assert {} == journal.plans("r2")


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(VtsconfError, match="cannot be opened"):
        Journal(f"sqlite:///{tmp_path}/file/vtsconf.db").add(RUN[0])


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 100)

    with pytest.raises(VtsconfError, match="cannot be opened"):
        Journal(f"sqlite:///{tmp_path}/x.db").add(RUN[0])


@pytest.mark.parametrize(("url", "error"), [("postgresql://x/y", Refused), ("mysql://x", Usage), ("", Usage)])
def test_other_stores_are_refused_with_what_to_do(url: str, error: type[VtsconfError]) -> None:
    with pytest.raises(error) as caught:
        Journal(url)

    assert "sqlite:///" in caught.value.remedy
