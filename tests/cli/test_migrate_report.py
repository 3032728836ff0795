"""`vtsconf migrate report` and `vtsconf history`: which run, which files, what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Vtsconf
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.outcome import Exit
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
from vtsconf.engine.migrate.book import Book

RUNS = ("20261120-070000-0001", "20261125-080000-ab12")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose journal has two runs of jobs, and an apply after them; we stand in it."""
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: {}}}\n")
    store = f"sqlite:///{tmp_path}/.vtsconf/vtsconf.db"
    journal, book = Journal(store), Book(store)
    for number, run in enumerate(RUNS):
        begun = {"command": "migrate", "by": "ops@control1", "revision": "", "hosts": []}
        journal.add(Event(at=1000 + number, run=run, action="run-started", body=begun))
        job = Job(
            host="vts1", cartridge=f"/V/P/T0000{number}", action="migrate", bytes=5, mtime=1, inode=number, bma="tsm"
        )  # fmt: skip
        book.add(run, [job], 1000)
        (taken,) = book.take("me", Limits(), 1, 1000)
        book.end(taken, (Status.DONE, Status.FAILED)[number], 1001, reason="ANS1017E")
        ended = {"summary": book.counts(run), "state": "done"}
        journal.add(Event(at=2000, run=run, action="run-finished", body=ended))
    other = {"command": "apply", "by": "ops@control1", "hosts": ["vts1"]}
    journal.add(Event(at=3000, run="20261126-080000-cd34", action="run-started", body=other))
    journal.close()
    book.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"inventory.yaml", ".vtsconf"}


def test_without_a_word_it_is_the_page_of_the_last_run_of_jobs(vtsconf: Vtsconf, project: Path) -> None:
    ended = vtsconf("migrate", "report")

    assert (Exit.DONE, {f"migration-{RUNS[1]}.html"}) == (ended.code, written(project))
    assert "0 of 1 job done, 0 B archived; 1 failed." in ended.out
    assert "ANS1017E" in (project / f"migration-{RUNS[1]}.html").read_text()


def test_page_and_document_go_where_they_are_told_to(vtsconf: Vtsconf, project: Path) -> None:
    ended = vtsconf("migrate", "report", "20261120", "--html", "a.html", "--json-file", "a.json")
    told = json.loads((project / "a.json").read_text())

    assert (Exit.DONE, {"a.html", "a.json"}) == (ended.code, written(project))
    assert (RUNS[0], ["/V/P/T00000"]) == (told["run"], [job["cartridge"] for job in told["jobs"]])
    assert told["digest"] in ended.out


def test_json_is_the_document_and_nothing_else(vtsconf: Vtsconf, project: Path) -> None:
    told = json.loads(vtsconf("migrate", "report", "--json").out)

    assert ("vtsconf/migration-run/1", {"failed": 1}, set()) == (
        told["format"],
        told["summary"],
        written(project),
    )


@pytest.mark.parametrize("wanted", ["1999", "2026112", "20261126"])
def test_a_run_that_is_not_there_or_has_no_jobs_is_a_sentence(
    vtsconf: Vtsconf, project: Path, wanted: str
) -> None:
    ended = vtsconf("migrate", "report", wanted)

    assert (Exit.USAGE, set()) == (ended.code, written(project))
    assert f"in the journal begin with '{wanted}'" in ended.err


def test_history_tells_how_the_jobs_ended(vtsconf: Vtsconf, project: Path) -> None:
    lines = vtsconf("history").out.splitlines()
    told = json.loads(vtsconf("history", "--json").out)["runs"]

    assert ["migrate  by ops@control1  1 done", "migrate  by ops@control1  1 failed"] == [
        line.split("  ", 2)[2] for line in lines[:2]
    ]
    assert [{"done": 1}, {"failed": 1}, {}] == [run["summary"] for run in told]


def restored_by_another(project: Path, end: dict[str, object]) -> None:
    """A job of the first run is asked for again, and a later run, that has none of its own, brings it to its end."""
    store = f"sqlite:///{project}/.vtsconf/vtsconf.db"
    journal, book = Journal(store), Book(store)
    job = Job(
        host="vts1", cartridge="/V/P/BACK01", action="restore", bytes=0, copy=274_000, mtime=1, inode=9, bma="tsm"
    )  # fmt: skip
    book.add(RUNS[0], [job], 1000)
    body = {"job": job.id, "attempt": 1, "by": "me"}
    journal.add(
        Event(at=1900, run=RUNS[0], host="vts1", action="job-retry", body=body | {"reason": "of before"})
    )
    begun = {"command": "restore", "by": "ops@control1", "revision": "", "hosts": []}
    journal.add(Event(at=4000, run=LATER, action="run-started", body=begun))
    (taken,) = book.take("me", Limits(), 1, 4000)
    journal.add(Event(at=4001, run=RUNS[0], host="vts1", action="job-started", body=body))
    book.end(taken, Status.DONE, 4002)
    journal.add(Event(at=4002, run=RUNS[0], host="vts1", action="job-ended", body=body | {"status": "done"}))
    named = end or {"worked": [job.id]}
    journal.add(
        Event(at=4003, run=LATER, action="run-finished", body={"summary": {}, "state": "done", **named})
    )
    journal.close()
    book.close()


LATER = "20261127-080000-ef56"


def test_jobs_of_an_earlier_run_that_it_worked_on_are_of_its_report(vtsconf: Vtsconf, project: Path) -> None:
    restored_by_another(project, {})
    told = json.loads(vtsconf("migrate", "report", LATER, "--json").out)

    assert "1 of 1 job done, 1 restored, 274 kB." == told["verdict"]
    assert [("/V/P/BACK01", RUNS[0], 4001, 4002)] == [
        (job["cartridge"], job["of_run"], job["started"], job["ended"]) for job in told["jobs"]
    ]


def test_what_is_too_much_to_name_is_counted(vtsconf: Vtsconf, project: Path) -> None:
    restored_by_another(project, {"worked": [], "worked_more": 7})
    told = json.loads(vtsconf("migrate", "report", LATER, "--json").out)

    assert "0 of 0 jobs done, 0 B archived; 7 more of earlier runs are not listed." == told["verdict"]
    assert 7 == told["worked_more"]
