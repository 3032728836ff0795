"""The journal: append-only, and every cut of it still makes sense."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from vtsconf.core.errors import Usage, VtsconfError
from vtsconf.core.runs import Event, RunSeen, find, fold
from vtsconf.engine.journal import Journal

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


@pytest.mark.parametrize("url", ["mysql://u:Pw123@x", "sqlite://x", ""])
def test_other_stores_are_refused_with_what_to_do(url: str) -> None:
    with pytest.raises(Usage) as caught:
        Journal(url)

    assert "sqlite:///" in caught.value.remedy
    assert "Pw123" not in f"{caught.value}{caught.value.remedy}"


def settled(outcome: str) -> Event:
    return Event(at=9, run="r1", action="host-settled", host="a", body={"outcome": outcome, "changes": 0})


@pytest.mark.parametrize(
    ("body", "unsettled"),
    [
        ({"outcome": "waiting"}, True),
        ({"outcome": "unreachable", "reason": "in doubt: armed change: lost"}, True),
        ({"outcome": "unreachable", "reason": "connection refused"}, False),
        ({"outcome": "changed"}, False),
    ],
)
def test_what_the_server_may_still_decide_is_unsettled(body: dict[str, str], unsettled: bool) -> None:
    (run,) = fold([*RUN[:2], Event(at=4, run="r1", action="host-finished", host="a", body=body)])
    (cut,) = fold(RUN[:2])
    (over,) = fold([*RUN, settled("reverted")])

    assert unsettled == run.is_unsettled("a")
    assert (True, False) == (cut.is_unsettled("a"), cut.is_unsettled("c"))
    assert (False, "reverted") == (over.is_unsettled("a"), over.hosts["a"]["outcome"])


def test_a_late_end_keeps_what_was_noted_before() -> None:
    ended = Event(
        at=4, run="r1", action="host-finished", host="a", body={"outcome": "waiting", "seconds": 2.5}
    )
    (run,) = fold([*RUN[:2], ended, settled("changed")])

    assert {"outcome": "changed", "seconds": 2.5} == {k: run.hosts["a"][k] for k in ("outcome", "seconds")}


def test_a_run_of_another_controller_is_not_called_unfinished() -> None:
    (run,) = fold([settled("changed")])

    assert (True, False) == (run.is_strange, run.is_open)


def test_a_run_is_found_by_its_first_letters() -> None:
    runs = [RunSeen(run=name) for name in ("2026-a", "2026-ab", "2027")]

    assert ["2027", "2026-a", "2026-ab"] == [find(runs, word).run for word in ("2027", "2026-a", "2026-ab")]
    for wrong, said in (("2026", "2 runs"), ("x", "no runs")):
        with pytest.raises(Usage, match=said):
            find(runs, wrong)
