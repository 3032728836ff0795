"""The queue of jobs: turns, limits over everybody, retries, error budgets, proofs."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.turns import Limits
from vtsconf.engine.migrate.book import Book


def job(n: int, host: str = "vts1", **more: object) -> Job:
    return Job(**{
        "host": host, "cartridge": f"/VAULT01/P/T{n:05}", "action": "migrate", "bytes": 10, "mtime": 1, "inode": n,
        "bma": "tsm", "policy": "nightly", **more,
    })  # fmt: skip


def book(tmp_path: Path) -> Book:
    return Book(f"sqlite:///{tmp_path}/vtsconf.db")


def test_the_same_job_is_added_once(tmp_path: Path) -> None:
    found = book(tmp_path)

    assert [job(1).id, job(2).id] == found.add("m1", [job(1), job(2), job(1)], 5)
    assert [job(3).id] == found.add("m2", [job(1), job(3)], 6)
    assert {"planned": 3} == found.counts()


def test_turns_keep_priority_and_every_limit(tmp_path: Path) -> None:
    found = book(tmp_path)
    jobs = [job(n, f"vts{n % 3}") for n in range(30)] + [job(99, "vts1", action="restore", priority=0)]
    found.add("m1", jobs, 5)
    limits = Limits(total=5, per_host=2, per_bma=100)

    first = found.take("me", limits, 10, 6)
    assert jobs[-1].id == first[0].id
    assert 5 == len(first)
    assert 2 == max(Counter(e.job.host for e in first).values())
    assert [] == found.take("other", limits, 10, 6)

    found.end(first[0], Status.DONE, 7)
    assert 1 == len(found.take("other", limits, 10, 8))


def test_a_full_host_starves_nobody(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(n, "vts1") for n in range(1000)] + [job(5000, "vts2")], 5)

    taken = found.take("me", Limits(per_host=1), 10, 6)

    assert ["vts1", "vts2"] == [entry.job.host for entry in taken]


def test_many_takers_never_exceed_a_limit_and_take_nothing_twice(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(n, f"vts{n % 4}") for n in range(200)], 5)
    limits = Limits(total=1000, per_host=7, per_bma=25)

    with ThreadPoolExecutor(8) as pool:
        taken = [
            e
            for part in pool.map(
                lambda n: Book(f"sqlite:///{tmp_path}/vtsconf.db").take(str(n), limits, 9, 6), range(16)
            )
            for e in part
        ]

    assert 25 == len(taken) == len({entry.id for entry in taken})
    assert 7 >= max(Counter(entry.job.host for entry in taken).values())


def test_a_retry_waits_and_counts_its_attempts(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(1)], 5)
    (entry,) = found.take("me", Limits(), 1, 6)
    found.again(entry, 10, after=30, reason="server busy")

    assert [] == found.take("me", Limits(), 1, 39)
    (entry,) = found.take("me", Limits(), 1, 40)
    assert (2, f"{job(1).id}#2") == (entry.attempt, entry.flow)


def test_a_restore_of_a_tape_that_is_coming_back_is_none(tmp_path: Path) -> None:
    found = book(tmp_path)
    first, again = (job(1, action="restore", bytes=0, nonce=nonce) for nonce in "12")
    other = job(1, host="vts2", action="restore", bytes=0, nonce="1")

    assert [first.id, other.id] == found.add("m1", [first, again, other], 5)
    assert [] == found.add("m2", [again], 6)
    assert [first.id] == [entry.id for entry in found.on_list([again])]
    (entry,) = found.take("me", Limits(known=frozenset({"vts1"})), 1, 6)
    found.end(entry, Status.FAILED, 7)
    assert [again.id] == found.add("m2", [again], 8)


def test_whoever_asks_is_given_what_he_can_work_for(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(1), job(2, "vts2")], 5)
    found.add("m2", [job(3)], 5)

    assert [] == found.take("me", Limits(known=frozenset()), 9, 6)
    (entry,) = found.take(
        "me", Limits(known=frozenset({"vts1"}), only=frozenset({job(2).id, job(3).id})), 9, 6
    )
    assert job(3) == entry.job
    assert found.is_idle(Limits(known=frozenset({"vts3"})))
    assert found.is_idle(Limits(only=frozenset({job(4).id})))
    assert not found.is_idle(Limits(only=frozenset({job(3).id})))
    away = frozenset({("host", "vts2")})
    assert found.is_idle(Limits(known=frozenset({"vts2"}), parked=away))


def test_a_parked_bma_runs_nothing_until_somebody_looks(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(1), job(2, bma="bacula")], 5)

    assert [1, 2] == [found.trouble("bma", "tsm", "no connection", 6) for _ in range(2)]
    parked = Limits(parked=frozenset({("bma", "tsm")}))
    assert ["bacula"] == [e.job.bma for e in found.take("me", parked, 9, 6)]
    found.relief(("bma", "tsm"))
    assert [] == found.troubles()


def test_cancelling_ends_what_waits_and_asks_what_runs(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(1), job(2)], 5)
    (entry,) = found.take("me", Limits(), 1, 6)

    found.ask_cancel([job(1).id, job(2).id], 7)

    assert "cancel" == found.wish_of(entry.id)
    assert {"submitted": 1, "cancelled": 1} == found.counts()


def test_a_proof_is_kept_once_and_knows_the_tape_as_it_is_now(tmp_path: Path) -> None:
    found = book(tmp_path)
    proof = Proof(
        host="vts1", cartridge="/VAULT01/P/T1", size=3, mtime=1, inode=2, bma="tsm", token="vtsconf-1", at=9
    )
    found.prove(proof, {"options": {"type": "archive"}})
    found.prove(replace(proof, mtime=5, inode=7), {"options": {"type": "archive"}})

    ((again, about),) = found.proofs("vts1")
    assert replace(proof, mtime=5, inode=7) == again
    assert {"type": "archive"} == about["options"]
    assert [] == list(found.proofs("vts1", ["/VAULT01/P/T2"]))


def test_a_name_that_is_no_utf8_is_kept_as_it_is(tmp_path: Path) -> None:
    found = book(tmp_path)
    name = "/VAULT01/P/T\udcff1"
    found.add("m1", [job(1, cartridge=name)], 5)
    proof = Proof(host="vts1", cartridge=name, size=3, mtime=1, inode=2, bma="tsm", token="t", at=9)
    found.prove(proof)

    assert [name] == [entry.job.cartridge for entry in found.entries()]
    assert {name: proof} == found.newest("vts1", [name])


# ---- the marks of event logs


def race(url: str, rounds: int = 20, readers: int = 6) -> list[int]:
    """How many of several readers moved the mark, in each round; one failed job waits again by whoever does."""
    books = [Book(url) for _ in range(readers)]
    books[0].add("m1", [job(1)], 5)
    moved = []
    with ThreadPoolExecutor(readers) as pool:
        for number in range(rounds):
            was = "" if number == 0 else f"7 {number - 1}"
            for entry in books[0].take("me", Limits(), 1, 6):
                books[0].end(entry, Status.FAILED, 7)
            done = pool.map(
                lambda one, at=number, was=was: one.set_mark(
                    "vts1", f"7 {at}", was=was, again=[job(1).id], now=8
                ),
                books,
            )
            moved.append(sum(done))
            assert 1 == len(list(books[0].entries(statuses=[Status.PLANNED])))
    assert f"7 {rounds - 1}" == books[0].mark("vts1")
    for one in books:
        one.close()
    return moved


def test_of_many_who_read_the_same_one_moves_the_mark(tmp_path: Path) -> None:
    assert [1] * 20 == race(f"sqlite:///{tmp_path}/vtsconf.db")


def test_a_mark_that_moved_lets_nothing_wait_again_and_unproven_never_does(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(1), job(2), job(3)], 5)
    ends = (Status.FAILED, Status.UNPROVEN, Status.DONE)
    for entry, status in zip(found.take("me", Limits(), 3, 6), ends, strict=True):
        found.end(entry, status, 7)
    ids = [job(n).id for n in (1, 2, 3)]

    assert not found.set_mark("vts1", "7 9", was="7 5", again=ids, now=8)
    assert {"failed": 1, "unproven": 1, "done": 1} == found.counts()
    assert found.set_mark("vts1", "7 9", was="", again=ids, now=8)
    assert {"planned": 1, "unproven": 1, "done": 1} == found.counts()


def test_what_somebody_has_abandoned_no_plan_brings_back(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.add("m1", [job(1)], 5)
    (entry,) = found.take("me", Limits(), 1, 6)
    found.end(entry, Status.PARKED, 7, is_open=True)
    found.abandon([job(1).id], 8, "abandoned by ann")

    assert [] == found.add("m2", [job(1)], 9)


def test_a_clock_that_was_set_back_holds_no_server(tmp_path: Path) -> None:
    found = book(tmp_path)
    found.away("vts1", "nobody answers", 100_000)

    assert found.held(100_001)
    assert not found.held(50_000)


def test_a_module_of_each_bma_is_all_that_a_migrator_must_be() -> None:
    from vtsconf import bma
    from vtsconf.bma.contract import Migrator

    wanted = {name for name in vars(Migrator) if not name.startswith("_")}

    assert {} == {name: lacks for name in bma.NAMES if (lacks := wanted - set(dir(bma.ALL[name])))}


def test_what_may_begin_only_much_later_keeps_nobody(tmp_path: Path) -> None:
    """Nor do jobs whose window is closed for long; a restore does, and what may be at work already."""
    found, nightly = book(tmp_path), [("vts1", "nightly")]
    found.add("m1", [job(1)], 5)
    assert found.is_idle(shut=nightly)
    assert not found.is_idle(shut=[("vts2", "nightly")])

    (entry,) = found.take("me", Limits(), 1, 6)
    assert not found.is_idle(shut=nightly)
    found.postpone(entry, 6, after=100, reason="its window is closed")
    assert (False, True) == (found.is_idle(before=106), found.is_idle(before=105))
    assert [(1, 106)] == [(one.jobs, one.first) for one in found.waits(Limits(), 105)]
    assert [0] == [one.first for one in found.waits(Limits(), 106)]
    assert [] == found.waits(Limits(known=frozenset({"vts2"})), 105)

    found.add("m1", [job(2, action="restore")], 7)
    assert not found.is_idle(before=105, shut=nightly)
    assert [True, False] == sorted((one.is_bound for one in found.waits(Limits(), 7)), reverse=True)
