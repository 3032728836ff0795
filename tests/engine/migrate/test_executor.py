"""The executor over the real engine: limits, windows, what others left behind, error budgets, and leaving."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.engine.migrate.around import NOW, Server, hands, job, tape
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.window import Window
from vtsconf.engine.durable import Engine
from vtsconf.engine.migrate.bring import bring
from vtsconf.engine.migrate.executor import Executor, engine_store, flows_of
from vtsconf.engine.migrate.hands import Hands
from vtsconf.transport.runs import RunSpec

GOOD = {"archive": (0, "yes")}


def servers(*jobs: Job, **more: Any) -> dict[str, Server]:
    made: dict[str, Server] = {}
    for one in jobs:
        made.setdefault(one.host, Server(**more)).jobs.tapes[one.cartridge] = tape(one)
    return made


@contextmanager
def executor(
    folder: Path, at: Mapping[str, Server], limits: Limits | None = None, **more: Any
) -> Iterator[Executor]:
    windows = more.pop("windows", {})
    found = hands(folder, at, **more)
    with Engine(engine_store(f"sqlite:///{folder}/vtsconf.db"), flows=flows_of(found), poll=0.05) as engine:
        yield Executor(
            hands=found, engine=engine, limits=lambda: limits or Limits(), windows=windows, tick=0.05
        )
        found.lookout.close()


def test_all_are_done_once_and_no_limit_is_exceeded(tmp_path: Path) -> None:
    jobs = [job(n, host=f"vts{n % 2 + 1}") for n in range(12)]
    at = servers(*jobs)
    most, guard = [0], threading.Lock()

    def act(spec: RunSpec) -> None:
        """Of all that are begun, none has ended before this one is counted."""
        if spec.argv[1] == "locate":
            return
        with guard:
            most[0] = max(most[0], len(running.hands.book.taken()))

    for one in at.values():
        one.act, one.answers = act, GOOD
    with executor(tmp_path, at, Limits(total=3, per_host=2)) as running:
        running.hands.book.add("r1", jobs, NOW)
        running.run(running.hands.book.is_idle)

        assert {"done": 12} == running.hands.book.counts()
        assert {"vts1": 6, "vts2": 6} == {name: one.archived for name, one in at.items()}
        assert 1 <= most[0] <= 3
        assert set() == running.hands.flows


def test_a_closed_window_postpones_and_costs_no_attempt(tmp_path: Path) -> None:
    jobs = [job(1), job(2, action="restore", bytes=0)]
    at = servers(*jobs, answers=GOOD)
    minute = NOW % 86_400 // 60
    later = Window(start=(minute + 60) % 1440, end=(minute + 120) % 1440)
    with executor(tmp_path, at, windows={("vts1", "nightly"): later}) as running:
        running.hands.book.add("r1", jobs[:1], NOW)

        assert 0 == running.fill()
        (entry,) = running.hands.book.get(jobs[0].id)
        assert ("waiting", 0, Status.PLANNED) == (entry.state, entry.attempt, entry.status)
        assert later.opens(NOW) == entry.not_before
        assert [] == at["vts1"].calls

        running.hands.book.add("r1", jobs[1:], NOW)  # a restore does not wait for it
        assert 1 == running.fill()
        running.run(lambda: not running.hands.book.taken())


def test_a_window_is_that_of_its_host(tmp_path: Path) -> None:
    """Hosts may define the same policy differently: none begins outside its own window, whoever comes last."""
    jobs = [job(1), job(2, host="vts2")]
    at = servers(*jobs, answers=GOOD)
    minute = NOW % 86_400 // 60
    now, later = (Window(start=(minute + n) % 1440, end=(minute + n + 60) % 1440) for n in (-30, 60))
    with executor(tmp_path, at, windows={("vts1", "nightly"): later, ("vts2", "nightly"): now}) as running:
        running.hands.book.add("r1", jobs, NOW)
        assert 1 == running.fill()
        running.run(lambda: not running.hands.book.taken())

        assert {"vts1": 0, "vts2": 1} == {name: one.archived for name, one in at.items()}


def test_what_somebody_took_and_never_began_is_begun_by_us(tmp_path: Path) -> None:
    at = servers(job(), answers=GOOD)
    with executor(tmp_path, at) as running:
        book = running.hands.book
        book.add("r1", [job()], NOW)
        book.take("one that died", Limits(), 1, NOW - 60)
        running.run(book.is_idle)

        assert {"done": 1} == book.counts()
        assert 1 == at["vts1"].archived


def test_what_was_taken_just_now_is_left_to_who_took_it(tmp_path: Path) -> None:
    at = servers(job(), answers=GOOD)
    with executor(tmp_path, at) as running:
        running.hands.book.add("r1", [job()], NOW)
        running.hands.book.take("one that lives", Limits(), 1, NOW - 1)
        running.fill()

        assert running.engine.status(f"{job().id}#1") is None
        assert [] == at["vts1"].calls


def test_work_that_ended_without_an_answer_is_in_doubt(tmp_path: Path) -> None:
    at = servers(job(), answers=GOOD)

    def broken(_: object) -> None:
        raise KeyError("the store was away")

    found = hands(tmp_path, at)
    with Engine(
        engine_store(f"sqlite:///{tmp_path}/vtsconf.db"), flows={"tape": broken}, poll=0.05
    ) as engine:
        running = Executor(hands=found, engine=engine, limits=Limits)
        found.book.add("r1", [job()], NOW)
        (entry,) = found.book.take("me", Limits(), 1, NOW - 60)
        engine.submit("tape", entry.flow, {})
        while not (work := engine.status(entry.flow)) or not work.state.is_final:
            threading.Event().wait(0.01)
        running.fill()

        assert Status.IN_DOUBT == found.book.get(job().id)[0].status
        assert 0 == at["vts1"].archived


def test_a_bma_that_fails_again_and_again_is_parked_until_somebody_relieves_it(tmp_path: Path) -> None:
    jobs = [job(n) for n in range(6)]
    at = servers(*jobs, answers={"archive": (12, "never")})

    def limits(found: Hands) -> Limits:
        parked = {(kind, name) for kind, name, count, *_ in found.book.troubles() if count >= 2}
        return Limits(total=1, parked=frozenset(parked))

    with executor(tmp_path, at) as running:
        book = running.hands.book
        running.limits = lambda: limits(running.hands)
        book.add("r1", jobs, NOW)
        running.run(lambda: book.is_idle(limits(running.hands)))
        assert {"failed": 2, "planned": 4} == book.counts()

        at["vts1"].answers |= GOOD
        book.relief(("bma", "tool"))
        book.relief(("policy", "nightly"))
        book.retry([entry.id for entry in book.entries(statuses=[Status.FAILED])], NOW)
        running.run(lambda: book.is_idle(limits(running.hands)))
        assert {"done": 6} == book.counts()


def test_one_that_is_told_to_stop_begins_nothing(tmp_path: Path) -> None:
    at = servers(job(), answers=GOOD)
    with executor(tmp_path, at, stopping=lambda: True) as running:
        running.hands.book.add("r1", [job()], NOW)
        running.run(lambda: False)

        assert {"planned": 1} == running.hands.book.counts()
        assert [] == at["vts1"].calls


def test_this_process_takes_no_more_than_it_may(tmp_path: Path) -> None:
    jobs = [job(n) for n in range(5)]
    at = servers(*jobs)  # nothing ends by itself
    with executor(tmp_path, at, Limits(per_host=9)) as running:
        running.most = 2
        running.hands.book.add("r1", jobs, NOW)

        assert [2, 0] == [running.fill(), running.fill()]
        for one in jobs:
            running.hands.book.ask_cancel([one.id], NOW)
        running.run(lambda: not running.hands.book.taken())


def test_jobs_of_servers_that_are_not_ours_wait_for_who_knows_them(tmp_path: Path) -> None:
    """Another inventory, a `--limit`, a document that is not in order: that is no failure of a tape."""
    ours, theirs = job(1), job(2, host="vts2")
    with executor(tmp_path, servers(ours, answers=GOOD), Limits(known=frozenset({"vts1"}))) as running:
        book = running.hands.book
        book.add("r1", [theirs, ours], NOW)
        book.take("one that died", Limits(known=frozenset({"vts2"})), 1, NOW - 60)
        running.run(lambda: book.is_idle(Limits(known=frozenset({"vts1"}))))

        assert Status.DONE == book.get(ours.id)[0].status
        assert ("taken", 1) == (book.get(theirs.id)[0].state, book.get(theirs.id)[0].attempt)
        assert not book.is_idle()


def test_what_was_taken_over_for_a_server_that_is_not_ours_is_put_back(tmp_path: Path) -> None:
    found = hands(tmp_path, servers(job(1), answers=GOOD))
    theirs = job(2, host="vts2")
    found.book.add("r1", [theirs], NOW)
    (entry,) = found.book.take("one that died", Limits(), 1, NOW)

    assert "submitted" == bring(entry.id, entry.attempt, found)
    (entry,) = found.book.take("who knows it", Limits(), 1, NOW)
    assert (2, 1, 1) == (entry.attempt, entry.number, entry.tried)


def test_somebodys_wish_reaches_a_run_that_is_waited_for(tmp_path: Path) -> None:
    at = servers(job(), answers={"cancel": (0, "")})
    with executor(tmp_path, at) as running:
        running.hands.lookout._slowest = 600.0  # it is not the next answer that tells
        book = running.hands.book
        book.add("r1", [job()], NOW)
        running.fill()
        while not at["vts1"].jobs.begun:
            threading.Event().wait(0.01)
        book.ask_cancel([job().id], NOW)
        running.run(book.is_idle)

        assert {"cancelled": 1} == book.counts()


def test_no_two_jobs_are_at_one_tape_at_once(tmp_path: Path) -> None:
    """Somebody wrote to it while it was archived, and it was planned again."""
    found = hands(tmp_path, servers(job(), answers=GOOD))
    found.book.add("r1", [job(), job(bytes=11), job(2)], NOW)

    taken = found.book.take("me", Limits(), 9, NOW)
    assert [job(), job(2)] == [entry.job for entry in taken]
    found.book.end(taken[0], Status.UNPROVEN, NOW)
    assert [job(bytes=11)] == [entry.job for entry in found.book.take("me", Limits(), 9, NOW)]
