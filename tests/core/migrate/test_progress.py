"""How far, how fast, until when: from sums alone."""

from __future__ import annotations

from typing import Any

import pytest

from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.progress import Course, Stretch, Sum, course, told

NOW = 1_800_000_000
WORKED = Stretch(since=NOW - 500, worked=100.0, at=NOW)


def done(jobs: int, size: int = 0, **more: Any) -> Sum:
    return Sum(**{"status": Status.DONE, "policy": "p", "jobs": jobs, "bytes": size, **more})


def open_(jobs: int, size: int = 0, **more: Any) -> Sum:
    return done(jobs, size, **{"status": Status.PLANNED, **more})


def held(jobs: int, size: int, *, until: int) -> Sum:
    return open_(jobs, size, is_held=True, first=NOW + until, last=NOW + until)


def test_what_is_left_goes_as_fast_as_what_has_gone() -> None:
    running = open_(1, 100, status=Status.SUBMITTED)

    found = course([done(2, 1000), running, open_(3, 400), done(1, 70, status=Status.FAILED)], WORKED, NOW)

    assert found == Course(
        jobs_done=3, jobs_total=7, bytes_done=1000, bytes_total=1570, running=1, waiting=3, bad=1, bytes_per_second=10,
        ends=NOW + 50,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sums", "stretch", "ends", "opens", "closes"),
    [
        ([open_(3, 300)], WORKED, None, None, None),  # nothing has ended yet
        ([done(3, 300, status=Status.FAILED), open_(3, 300)], WORKED, None, None, None),  # nothing has moved
        ([done(1, 10), open_(1, 10)], Stretch(since=NOW), None, None, None),  # nobody is at work
        ([done(3, 300)], WORKED, None, None, None),  # nothing is left
        ([done(1, 100), held(2, 200, until=3600)], WORKED, None, 3600, None),  # its window is closed
        ([done(1, 100), open_(5, 500), held(1, 10, until=30)], WORKED, 510, 30, None),  # the next attempt of one
        ([done(1, 100), open_(1, 100), held(1, 10, until=101)], WORKED, None, 101, None),  # all wait for it at the end
        ([done(4), open_(2)], WORKED, 50, None, None),  # erases move no bytes: they are counted
        ([done(4, 100), open_(2)], WORKED, 50, None, None),  # only erases are left
        ([done(1, 100), open_(1, 100)], Stretch(since=0, worked=100.0, closes={"p": NOW + 99}), None, None, 99),
        ([done(1, 100), open_(1, 100)], Stretch(since=0, worked=100.0, closes={"p": NOW + 100}), 100, None, None),
        ([done(1, 100), open_(1, 100)], Stretch(since=0, worked=100.0, closes={"other": NOW + 9}), 100, None, None),
        (
            [done(1, 100), open_(1, 100, status=Status.SUBMITTED)],  # what runs is not ended by its window
            Stretch(since=0, worked=100.0, closes={"p": NOW + 9}), 100, None, None,
        ),
    ],
)  # fmt: skip
def test_when_it_ends(
    sums: list[Sum], stretch: Stretch, ends: int | None, opens: int | None, closes: int | None
) -> None:
    found = course(sums, stretch, NOW)

    told = [at and at - NOW for at in (found.ends, found.opens, found.closes)]
    assert [ends, opens, closes] == told


@pytest.mark.parametrize(
    ("course", "line"),
    [
        (
            Course(bytes_done=2 * 10**9, bytes_total=3 * 10**12, running=2, waiting=7, bytes_per_second=150 * 10**6,
                   ends=NOW + 7260, jobs_total=9, bad=1),
            "2 GB of 3 TB; 2 running, 7 waiting, 1 not well; 150 MB/s; about 2h1m left, until 2027-01-15 10:01 UTC",
        ),
        (
            Course(bytes_total=5, waiting=1, jobs_total=1, opens=NOW + 3600),
            "0 B of 5 B; 1 waiting; those that wait may begin in 1h, 2027-01-15 09:00 UTC",
        ),
        (
            Course(bytes_total=5, running=1, jobs_total=1, closes=NOW + 60),
            "0 B of 5 B; 1 running; not all before a window closes in 1m, 2027-01-15 08:01 UTC",
        ),
        (Course(running=1, jobs_total=1), "1 running; when it ends is not known yet"),
        (Course(jobs_done=2, jobs_total=2, bytes_done=5, bytes_total=5), "5 B of 5 B"),
    ],
)  # fmt: skip
def test_it_is_told_in_one_line(course: Course, line: str) -> None:
    assert line == told(course, NOW)


@pytest.mark.parametrize(("action", "moves"), [("migrate", 10), ("restore", 70), ("erase", 0)])
def test_what_a_job_moves(action: Any, moves: int) -> None:
    job = Job(host="vts1", cartridge="/V/P/T", action=action, bytes=10, mtime=1, inode=1, copy=70)

    assert (moves, job) == (job.moves, Job.from_json(job.to_json()))


def test_what_was_measured_survives_json() -> None:
    stretch = Stretch(since=1, worked=2.5, at=3, closes={"nightly": 4})

    assert stretch == Stretch.from_json(stretch.to_json() | {"of a later version": 1})
    assert [True, False] == [stretch.is_fresh(62), stretch.is_fresh(63)]
