"""How fast the executors of a store go: measured while they work, known to others, and gone with them."""

from __future__ import annotations

from pathlib import Path

from tests.engine.migrate.test_book import book, job
from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.progress import Course, Stretch, Sum
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.window import Window
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.pace import Pace, seen

START = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


def move(book: Book, clock: Clock, pace: Pace, seconds: float, status: Status = Status.DONE) -> None:
    """The next job runs for so long."""
    (entry,) = book.take("me", Limits(), 1, int(clock.now))
    pace.passed(is_busy=False)
    clock.now += seconds
    pace.passed(is_busy=True)
    book.end(entry, status, int(clock.now))


def test_sums_are_of_what_is_open_and_of_what_has_ended_since(tmp_path: Path) -> None:
    found = book(tmp_path)
    restore = job(4, action="restore", bytes=0, copy=500, priority=0)
    found.add("m1", [job(1), job(2), job(3), job(5, action="erase", policy="gone")], 5)
    (old,) = found.take("me", Limits(), 1, 6)
    found.end(old, Status.DONE, 7)
    found.add("m2", [restore], 8)
    (first,) = found.take("me", Limits(), 1, 9)
    found.end(first, Status.DONE, 10)
    (late,) = found.take("me", Limits(), 1, 11)
    found.again(late, 12, after=30, reason="busy")

    rows = {(s.status.value, s.policy, s.is_held): (s.jobs, s.bytes, s.first) for s in found.sums(8, 12)}
    assert rows == {
        ("done", "nightly", False): (1, 500, 0),
        ("planned", "nightly", False): (1, 10, 0),
        ("planned", "nightly", True): (1, 10, 42),
        ("planned", "gone", False): (1, 0, 0),
    }
    assert [("done", 500)] == [(s.status.value, s.bytes) for s in found.sums(0, 12, "m2")]
    assert [] == book(tmp_path / "nowhere").sums(0, 12)
    assert {"done": 1, "planned": 1} == found.standing([job(1).id, job(2).id, "unknown"])
    assert found.have_ended([job(1).id, restore.id])
    assert not found.have_ended([job(1).id, job(2).id])


def test_time_counts_while_something_runs_only(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    found.add("m1", [job(n, bytes=1000) for n in range(3)], START)
    pace = Pace(book=found, now=clock)
    move(found, clock, pace, 10)
    clock.now += 3600
    pace.passed(is_busy=False)

    course = pace.course()
    assert (100, 2, int(clock.now) + 20) == (course.bytes_per_second, course.waiting, course.ends)


def test_the_next_job_after_all_have_ended_begins_a_new_stretch(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    found.add("m1", [job(1, bytes=1000)], START)
    pace = Pace(book=found, now=clock)
    move(found, clock, pace, 10)

    assert (1, 1, True) == ((last := pace.course()).jobs_done, last.jobs_total, last.is_over)
    assert last == pace.course()
    clock.now += 60
    found.add("m1", [job(2)], int(clock.now))
    assert Course(jobs_total=1, bytes_total=10, waiting=1) == pace.course()


def test_another_terminal_sees_it_while_somebody_is_at_work(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    found.add("m1", [job(n) for n in range(3)], START)
    pace = Pace(book=found, now=clock)
    move(found, clock, pace, 10)
    course = pace.course()

    assert course == seen(book(tmp_path), int(clock.now))
    left = Course(jobs_total=2, bytes_total=20, waiting=2)
    assert left == seen(book(tmp_path), int(clock.now) + 60)


def test_the_executor_after_one_that_was_killed_goes_on_with_it(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    found.add("m1", [job(n) for n in range(3)], START)
    pace = Pace(book=found, now=clock)
    move(found, clock, pace, 10)
    before = pace.course()

    assert before == Pace(book=book(tmp_path), now=clock).course()
    clock.now += 60
    assert 0 == Pace(book=book(tmp_path), now=clock).course().jobs_done


def test_after_its_end_nobody_goes_on_with_it(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    found.add("m1", [job(1)], START)
    pace = Pace(book=found, now=clock)
    move(found, clock, pace, 10)

    assert (1, 1) == (pace.end().bytes_per_second, pace.end().jobs_done)
    assert Course() == seen(found, int(clock.now))


def test_that_of_one_run_is_its_own(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    found.keep_stretch(Stretch(since=0, worked=1e6, at=START))
    found.add("m1", [job(1), job(2)], START)
    found.add("r1", [job(3, action="restore", priority=0, copy=1000)], START)
    pace = Pace(book=found, now=clock, run="r1")
    move(found, clock, pace, 10)

    course = pace.end()
    assert (1, 1, 1000, 100) == (
        course.jobs_done, course.jobs_total, course.bytes_total, course.bytes_per_second
    )  # fmt: skip
    assert Stretch(since=0, worked=1e6, at=START) == found.stretch()


def test_an_open_window_is_known_to_close(tmp_path: Path) -> None:
    clock, found = Clock(), book(tmp_path)
    minute = START % 86_400 // 60
    window = Window(start=(minute - 60) % 1440, end=(minute + 1) % 1440)
    found.add("m1", [job(n, bytes=1000) for n in range(30)], START)
    pace = Pace(book=found, now=clock, windows={"nightly": window})
    move(found, clock, pace, 10)

    course = pace.course()
    assert (None, window.closes(START)) == (course.ends, course.closes)
    assert course == seen(found, int(clock.now))


def test_ten_thousand_jobs_are_a_few_rows(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(n) for n in range(10_000)], START)

    assert [Sum(status=Status.PLANNED, policy="nightly", jobs=10_000, bytes=100_000)] == found.sums(0, START)
