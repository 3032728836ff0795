"""`vtsconf migrate retry`, `abandon`, `cancel` and `status`: what they say of names and jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.cli.test_migrate_plan import POLICIES
from tests.e2e.conftest import Vtsconf
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.outcome import Exit
from vtsconf.engine.journal import Journal
from vtsconf.engine.migrate.book import Book

JOB = Job(
    host="vts1", cartridge="/V/P/T1", action="migrate", bytes=5, mtime=1, inode=1, bma="old", policy="gone"
)


@pytest.fixture
def store(project: Project, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a project with one job, that is done."""
    folder: Path = project(POLICIES)
    monkeypatch.chdir(folder)
    (folder / ".vtsconf").mkdir(exist_ok=True)
    store = f"sqlite:///{folder}/.vtsconf/vtsconf.db"
    book = Book(store)
    book.add("r1", [JOB], 1000)
    (taken,) = book.take("me", Limits(), 1, 1000)
    book.end(taken, Status.DONE, 1001, reason="archived")
    for _ in range(5):
        book.trouble("bma", "tsm", "down", 1000)
    book.close()
    return store


@pytest.mark.parametrize(("flag", "name"), [("--bma", "tsn"), ("--policy", "nihgtly")])
def test_a_name_that_nobody_knows_is_a_wrong_command_line(
    vtsconf: Vtsconf, store: str, flag: str, name: str
) -> None:
    ended = vtsconf("migrate", "retry", flag, name)

    assert (Exit.USAGE, "") == (ended.code, ended.out)
    assert f"{name!r}" in ended.err


@pytest.mark.parametrize(
    ("flag", "name", "told"),
    [
        ("--bma", "tsm", "is no longer parked"),
        ("--bma", "old", "was not parked"),
        ("--policy", "gone", "was not parked"),
        ("--policy", "nightly", "was not parked"),
    ],
)
def test_who_works_again_is_told(vtsconf: Vtsconf, store: str, flag: str, name: str, told: str) -> None:
    ended = vtsconf("migrate", "retry", flag, name)

    assert (Exit.DONE, f"{name} {told}\n") == (ended.code, ended.out)


def test_the_status_of_no_job_is_a_wrong_command_line(vtsconf: Vtsconf, store: str) -> None:
    assert Exit.USAGE == vtsconf("migrate", "status", "zz").code


@pytest.mark.parametrize("word", ["abandon", "cancel"])
def test_of_a_job_that_is_done_nothing_is_decided(vtsconf: Vtsconf, store: str, word: str) -> None:
    ended = vtsconf("migrate", word, JOB.id[:8])

    assert Exit.DONE == ended.code
    assert "has ended already: done" in ended.out
    assert [] == [event.action for event in Journal(store).events()]
