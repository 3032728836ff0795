"""What old jobs have left is removed, and nothing that somebody may still ask for."""

from __future__ import annotations

from pathlib import Path

from tests.engine.migrate.around import NOW, Server, job
from tests.engine.migrate.test_executor import executor, servers
from vtsconf.core.migrate.job import Status
from vtsconf.engine.migrate.executor import Executor
from vtsconf.engine.migrate.leftovers import Leftovers
from vtsconf.transport.runs import RunSpec

WEEK = 7 * 86400


def leftovers(of: Executor, now: int) -> Leftovers:
    return Leftovers(book=of.hands.book, yard=of.hands.yard, engine=of.engine, now=lambda: now, keep=WEEK)


def test_a_week_after_its_end_nothing_is_left_of_a_job(tmp_path: Path) -> None:
    at = servers(job(1), job(2), answers={"archive": (0, "yes")})
    with executor(tmp_path, at) as running:
        book = running.hands.book
        book.add("r1", [job(1), job(2)], NOW)
        running.run(book.is_idle)
        kept = set(at["vts1"].jobs.runs)

        assert 0 == leftovers(running, NOW + WEEK).clear()
        assert kept == set(at["vts1"].jobs.runs)
        assert 2 == leftovers(running, NOW + WEEK + 1).clear()
        assert {} == at["vts1"].jobs.runs
        assert None is running.engine.status(f"{job(1).id}#1")
        assert 0 == leftovers(running, NOW + 2 * WEEK).clear()
        assert {"done": 2} == book.counts()


def test_what_runs_and_what_is_away_stays(tmp_path: Path) -> None:
    at = servers(job(1), job(2), job(3, host="vts2"), answers={"archive": (0, "yes")})
    with executor(tmp_path, at) as running:
        book = running.hands.book
        book.add("r1", [job(1), job(2), job(3, host="vts2")], NOW)
        running.run(book.is_idle)
        at["vts1"].jobs.start(
            RunSpec(id=job(2).mark, attempt=2, argv=("tool", "archive", ""))
        )  # some daemon of it
        at["vts2"].away = 9

        assert 1 == leftovers(running, NOW + WEEK + 1).clear()
        assert [job(2).mark] == [run.id for run in at["vts1"].jobs.runs.values() if run.state == "running"]
        assert at["vts2"].jobs.runs


def test_a_job_that_is_asked_for_again_begins_under_a_new_number(tmp_path: Path) -> None:
    at: dict[str, Server] = servers(job(), answers={"archive": (12, "never")})
    with executor(tmp_path, at) as running:
        book = running.hands.book
        book.add("r1", [job()], NOW)
        running.run(book.is_idle)
        assert 0 == leftovers(running, NOW + WEEK + 1).clear()  # what it has seen before counts still
        book.retry([job().id], NOW)
        at["vts1"].answers |= {"archive": (0, "yes")}
        running.run(book.is_idle)

        assert Status.DONE == book.get(job().id)[0].status
        assert [1, 2] == [spec.attempt for spec in at["vts1"].jobs.begun if spec.argv[1] == "archive"]
