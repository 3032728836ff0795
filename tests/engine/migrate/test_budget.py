"""What the book says of a budget: a run that follows has one for an opening, whoever began the jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.migrate.around import NOW, job
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.turns import Limits
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.budget import spent_of
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policy

HOUR = 3600
NOON = NOW - NOW % 86_400 + 12 * HOUR  # UTC


def vts(**more: Any) -> Vts:
    policy = {"action": "migrate", "bma": "tool", "limits": {"bytes_per_run": "2TB"}, **more}
    return Vts(policies={"nightly": Policy.model_validate(policy)})


NIGHT = vts(window={"from": "22:00", "to": "06:00", "timezone": "UTC"})


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(f"sqlite:///{tmp_path}/vtsconf.db")


def ended(book: Book, one: Job, begun: int, seconds: int, status: Status = Status.DONE) -> None:
    book.add("r0", [one], begun)
    (entry,) = book.take("me", Limits(), 1, begun)
    book.end(entry, status, begun + seconds, detail={"seconds": seconds})


def spent(book: Book, now: int, documents: Vts = NIGHT, *, follows: bool = True) -> int:
    found = spent_of(book, {"vts1": documents}, now, follows=follows).get("nightly")
    return found.bytes if found else 0


def test_a_job_counts_for_the_opening_in_which_it_began(book: Book) -> None:
    ended(book, job(1, bytes=1), NOON - 13 * HOUR, HOUR)  # at 23:00
    ended(book, job(2, bytes=2), NOON - 7 * HOUR, 3 * HOUR)  # at 05:00, and over at 08:00

    assert (3, 0) == (spent(book, NOON - 6 * HOUR - 1), spent(book, NOON - 3 * HOUR))
    ended(book, job(3, bytes=4), NOON + 11 * HOUR, HOUR)  # the night after
    assert 4 == spent(book, NOON + 12 * HOUR)


def test_what_waits_is_done_in_this_opening_and_a_restart_makes_no_new_budget(book: Book) -> None:
    book.add("r1", [job(1, bytes=8)], NOON - 24 * HOUR)
    book.add("r2", [job(2, bytes=1)], NOON)

    assert 9 == spent(book, NOON)


def test_a_run_that_ends_counts_itself_and_what_waits(book: Book) -> None:
    ended(book, job(1, bytes=4), NOON - HOUR, 60)
    book.add("r1", [job(2, bytes=1)], NOON)

    assert (1, 5) == (spent(book, NOON, follows=False), spent(book, NOON))


def test_without_a_window_a_day_counts(book: Book) -> None:
    ended(book, job(1, bytes=4), NOON - 25 * HOUR, 60)
    ended(book, job(2, bytes=1), NOON - 23 * HOUR, 60)

    assert 1 == spent(book, NOON, vts())


def test_what_never_began_moved_nothing(book: Book) -> None:
    book.add("r1", [job(1, bytes=4)], NOON)
    book.ask_cancel([job(1).id, job(1, bytes=4).id], NOON)

    assert 0 == spent(book, NOON)


def test_a_restore_counts_its_copy_and_an_erase_nothing(book: Book) -> None:
    book.add("r1", [job(1, action="restore", bytes=0, copy=7), job(2, action="erase", bytes=100)], NOON)

    assert 7 == spent(book, NOON)


def test_a_policy_without_a_budget_asks_nothing(book: Book) -> None:
    book.add("r1", [job(1)], NOON)

    assert {} == spent_of(book, {"vts1": vts(limits={})}, NOON, follows=True)


def test_failed_ones_are_known_and_count_no_more(book: Book) -> None:
    ended(book, job(1, bytes=4), NOON - 40 * HOUR, 60, Status.FAILED)
    found = spent_of(book, {"vts1": NIGHT}, NOON, follows=True)["nightly"]

    assert (0, {job(1, bytes=4).id}) == (found.bytes, set(found.jobs))
