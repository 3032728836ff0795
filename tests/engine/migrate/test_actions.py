"""Every way in which an attempt can end, and what stands in the book and in the journal then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.migrate.around import NOW, Server, Tool, hands, job, tape
from vtsconf.bma.contract import Located, Output
from vtsconf.core.errors import StoreLost, Unreachable
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.wanted import WantedParameter
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.bring import bring
from vtsconf.engine.migrate.hands import Hands
from vtsconf.resources.desired import PEERS, Vts
from vtsconf.resources.policies import Policy
from vtsconf.resources.written import VtsPolicyCommand
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState

GOOD = {"archive": (0, "yes")}


def done(one: Job, found: Hands) -> Entry:
    """One attempt, by whoever takes it."""
    found.book.add("r1", [one], NOW)
    (entry,) = found.book.take("me", Limits(), 1, NOW + 4000)
    bring(entry.id, entry.attempt, found)
    return found.book.get(one.id)[0]


def server(*jobs: Job, **more: Any) -> Server:
    made = Server(**more)
    made.jobs.tapes |= {one.cartridge: tape(one) for one in jobs}
    return made


def grow(to: Server) -> Any:
    """A tape that is written to while it is archived."""

    def act(spec: RunSpec) -> None:
        if spec.argv[1] == "archive":
            there = to.jobs.tapes[spec.argv[3]]
            to.jobs.tapes[spec.argv[3]] = replace(there, size=there.size + 1, mtime=2)

    return act


@pytest.mark.parametrize(
    ("answers", "status", "reason"),
    [
        ({}, Status.DONE, "archived"),
        ({"locate": (0, "")}, Status.UNPROVEN, "catalogue"),
        ({"locate": (0, "9")}, Status.UNPROVEN, "9 bytes"),
        ({"locate": (0, "10 9")}, Status.UNPROVEN, "catalogue"),
        ({"locate": (None, "10")}, Status.SUBMITTED, "the catalogue did not answer"),
        ({"locate": (12, "10")}, Status.SUBMITTED, "the catalogue did not answer"),
        ({"archive": (1, "what?"), "locate": (12, "")}, Status.SUBMITTED, "the catalogue did not answer"),
        ({"archive": (None, ""), "locate": (12, "")}, Status.SUBMITTED, "the catalogue did not answer"),
        ({"archive": (0, "what?"), "locate": (0, "10")}, Status.UNPROVEN, "not known"),
        ({"archive": (4, "part")}, Status.PLANNED, "part"),
        ({"archive": (12, "later")}, Status.PLANNED, "later"),
        ({"archive": (12, "never")}, Status.FAILED, "never"),
        ({"archive": (1, "what?"), "locate": (0, "")}, Status.PLANNED, "what?"),
        ({"archive": (None, ""), "locate": (0, "")}, Status.PLANNED, "lost"),
        ({"archive": (None, ""), "locate": (0, "10")}, Status.IN_DOUBT, "catalogue has a copy"),
    ],
)
def test_an_archive_is_done_by_two_witnesses_only(
    tmp_path: Path, answers: dict[str, tuple[int | None, str]], status: Status, reason: str
) -> None:
    at = server(job(), answers={**GOOD, **answers})
    found = hands(tmp_path, {"vts1": at})

    ended = done(job(), found)
    proofs = list(found.book.proofs("vts1"))

    assert status == ended.status
    assert reason in ended.reason
    assert (status is Status.DONE) == bool(proofs)
    assert 1 == at.archived


def test_a_tape_that_grows_meanwhile_is_not_proven(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)
    at.act = grow(at)

    ended = done(job(), hands(tmp_path, {"vts1": at}))

    assert Status.UNPROVEN == ended.status
    assert "size 10 → 11, mtime 1 → 2" in ended.reason


@pytest.mark.parametrize("there", [{}, {"size": 11}, {"mtime": 2}, {"inode": 77}])
def test_what_is_not_as_planned_is_not_begun(tmp_path: Path, there: dict[str, int]) -> None:
    at = server(answers=GOOD)
    if there:
        at.jobs.tapes[job().cartridge] = tape(job(), **there)

    ended = done(job(), hands(tmp_path, {"vts1": at}))

    assert Status.FAILED == ended.status
    assert ended.reason.startswith("not started: ")
    assert 0 == at.archived


def test_what_an_earlier_attempt_has_left_in_the_catalogue_is_not_archived_again(tmp_path: Path) -> None:
    at = server(job(), answers={"archive": (12, "later"), "locate": (0, "10")})
    found = hands(tmp_path, {"vts1": at})

    assert Status.PLANNED == done(job(), found).status
    assert Status.UNPROVEN == done(job(), found).status
    assert 1 == at.archived


@pytest.mark.parametrize("answer", [(0, "yes"), (1, "what?"), (None, ""), (12, "later")])
def test_while_the_catalogue_does_not_answer_nothing_is_archived_again(
    tmp_path: Path, answer: tuple[int | None, str]
) -> None:
    at = server(job(), answers={"archive": answer, "locate": (12, "no connection")})
    found = hands(tmp_path, {"vts1": at})
    one = job(attempts=4)

    last = {(0, "yes"): Status.UNPROVEN, (12, "later"): Status.PARKED}.get(answer, Status.IN_DOUBT)
    waits = Status.PLANNED if answer == (12, "later") else Status.SUBMITTED
    assert [waits] * 3 + [last] == [done(one, found).status for _ in range(4)]
    assert 1 == at.archived

    del at.answers["locate"]  # it answers again, and a person says so
    if answer != (0, "yes"):
        at.shelf.append(one.mark)
    found.book.retry([one.id], NOW)
    wanted = {"yes": Status.DONE, "": Status.IN_DOUBT}
    assert wanted.get(answer[1], Status.UNPROVEN) == done(one, found).status
    assert 1 == at.archived


def test_several_copies_under_our_mark_are_not_made_more(tmp_path: Path) -> None:
    at = server(job(), answers={"archive": (12, "later"), "locate": (0, "10 9")})
    found = hands(tmp_path, {"vts1": at})

    assert [Status.PLANNED, Status.UNPROVEN] == [done(job(), found).status for _ in range(2)]
    assert 1 == at.archived


def test_a_store_that_is_away_is_waited_for_and_blames_nobody(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)
    found = hands(tmp_path, {"vts1": at})
    found.book.add("r1", [job()], NOW)
    (entry,) = found.book.take("me", Limits(), 1, NOW)
    prove, paused = found.book.prove, []

    def away(*_: Any) -> None:
        raise StoreLost("the journal cannot be written")

    found.book.prove = away  # type: ignore[method-assign]
    found.pause = lambda seconds: (paused.append(seconds), setattr(found.book, "prove", prove))  # type: ignore[method-assign, assignment]

    assert "done" == bring(entry.id, entry.attempt, found)
    assert [5.0] == paused
    assert (1, []) == (at.archived, found.book.troubles())


def test_a_tape_that_somebody_has_is_tried_again_and_then_left_to_a_later_plan(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)
    found = hands(tmp_path, {"vts1": at})
    is_busy = [True]

    def start(spec: RunSpec, state_dir: str, **more: Any) -> RunState:
        if is_busy[0] and spec.argv[1] == "archive":
            return RunState(id=spec.id, attempt=spec.attempt, state="refused", reason="in use", is_busy=True)
        return Server.start(at, spec, state_dir, **more)

    at.start = start  # type: ignore[method-assign, assignment]
    one = job(attempts=2)

    assert [Status.PLANNED, Status.PARKED] == [done(one, found).status for _ in range(2)]
    assert [] == found.book.troubles()
    is_busy[0] = False
    assert Status.DONE == done(one, found).status  # `done` adds it as a plan does
    assert 1 == at.archived


def test_what_ended_well_although_somebody_cancelled_it_is_done(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)
    found = hands(tmp_path, {"vts1": at})
    at.act = lambda spec: found.book.ask_cancel([job().id], NOW) if spec.argv[1] == "archive" else None

    assert Status.DONE == done(job(), found).status


def test_at_its_time_out_a_run_is_ended_by_the_bmas_own_command_too(tmp_path: Path) -> None:
    at = server(job(), answers={"archive": (124, ""), "cancel": (0, ""), "locate": (0, "")})

    assert Status.PLANNED == done(job(), hands(tmp_path, {"vts1": at})).status
    assert ["archive", "cancel", "locate"] == [spec.argv[1] for spec in at.jobs.begun]


def test_the_same_attempt_begun_again_finds_its_run(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)
    found = hands(tmp_path, {"vts1": at})
    found.book.add("r1", [job()], NOW)
    (entry,) = found.book.take("me", Limits(), 1, NOW)
    at.start(RunSpec(id=job().mark, attempt=1, argv=("tool", "archive", job().mark)), "/s")

    assert "done" == bring(entry.id, 1, found) == bring(entry.id, 1, found)
    assert 1 == at.archived


def test_a_job_that_ran_out_of_attempts_is_parked(tmp_path: Path) -> None:
    at = server(job(), answers={"archive": (12, "later"), "locate": (0, "")})
    found = hands(tmp_path, {"vts1": at})
    one = job(attempts=2)

    assert [Status.PLANNED, Status.PARKED] == [done(one, found).status for _ in range(2)]
    assert "(tried 2 times)" in found.book.get(one.id)[0].reason


def test_what_a_failed_attempt_said_is_not_said_of_one_that_is_done(tmp_path: Path) -> None:
    at = server(job(), answers={"archive": (12, "never"), "locate": (0, "")})
    found = hands(tmp_path, {"vts1": at})
    failed = done(job(), found)
    del at.answers["locate"]
    at.answers |= GOOD
    found.book.retry([failed.id], NOW)
    ended = done(job(), found)

    assert ("never", 12) == (failed.detail["said"], failed.detail["exit"])
    assert (Status.DONE, "", None) == (ended.status, ended.detail["said"], ended.detail["exit"])


def test_a_server_that_is_away_is_left_alone_and_costs_no_attempt(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD, away=1)
    found = hands(tmp_path, {"vts1": at})

    assert Status.SUBMITTED == done(job(attempts=1), found).status
    assert [("host", "vts1", 1)] == [row[:3] for row in found.book.troubles()]
    assert [frozenset({("host", "vts1")}), frozenset()] == [found.book.held(NOW + n) for n in (9, 10)]
    assert Status.PLANNED == done(job(attempts=1), found).status  # nothing had begun: it waits as before
    assert Status.DONE == done(job(attempts=1), found).status
    assert [] == found.book.troubles()
    assert 1 == at.archived
    assert 3 == at.jobs.begun[0].attempt  # a start that is still on its way would be an older one


def test_what_many_jobs_meet_in_one_absence_is_counted_once(tmp_path: Path) -> None:
    found = hands(tmp_path, {"vts1": server()}).book
    for now in (0, 1, 9, 10, 11, 29, 30):
        found.away("vts1", "nobody answers", NOW + now)

    assert [("host", "vts1", 3)] == [row[:3] for row in found.troubles()]


class Cut(Server):
    """The answer to the first start is lost; what was started goes on."""

    def start(self, spec: RunSpec, state_dir: str, **more: Any) -> RunState:
        state = super().start(spec, state_dir, **more)
        if self.calls.count("start") == 1:
            raise Unreachable("vts1: the connection was cut")
        return state


@pytest.mark.parametrize("answer", [(0, "yes"), (12, "later"), (12, "never"), None])
def test_a_start_whose_answer_was_lost_is_gone_on_with_and_not_begun_again(
    tmp_path: Path, answer: tuple[int, str] | None
) -> None:
    at = Cut(answers={} if answer is None else {"archive": answer})
    at.jobs.tapes[job().cartridge] = tape(job())
    found = hands(tmp_path, {"vts1": at})

    assert Status.SUBMITTED == done(job(), found).status
    if answer is None:  # it ends while nobody looks
        at.shelf.append(job().mark)
        at.jobs.finish(job().mark, 0, b"yes")
    ended = done(job(), found)

    wanted = {"later": Status.PLANNED, "never": Status.FAILED}
    assert wanted.get(answer[1] if answer else "", Status.DONE) == ended.status
    assert 1 == at.archived
    assert 0 == ended.detail["goes_on"]


def test_a_restore_whose_answer_was_lost_is_gone_on_with(tmp_path: Path) -> None:
    """Done again, it would find a file with bytes, refuse, and leave half a tape where VTS takes it for one."""
    for size, status in ((10, Status.DONE), (4, Status.PLANNED)):
        folder = tmp_path / str(size)
        folder.mkdir()
        at = Cut(answers={"restore": (0, "yes"), "-c": (0, "")})
        at.jobs.tapes[stub().cartridge] = tape(stub())

        def act(spec: RunSpec, at: Cut = at, size: int = size) -> None:
            at.jobs.tapes[stub().cartridge] = tape(
                stub(), size=size if spec.argv[1] == "restore" else 0, mtime=6
            )

        at.act = act
        found = hands(folder, {"vts1": at})
        found.book.prove(proof(job()))

        assert Status.SUBMITTED == done(stub(), found).status
        assert status == done(stub(), found).status
        assert 1 == sum(spec.argv[1] == "restore" for spec in at.jobs.begun)
        assert (10 if size == 10 else 0) == at.jobs.tapes[stub().cartridge].size


def test_what_may_run_on_a_server_that_is_away_is_cancelled_when_it_is_back(tmp_path: Path) -> None:
    at = Cut(answers={"cancel": (0, "")})
    at.jobs.tapes[job().cartridge] = tape(job())
    found = hands(tmp_path, {"vts1": at})
    done(job(), found)
    found.book.ask_cancel([job().id], NOW)

    assert Status.CANCELLED == done(job(), found).status
    assert [("archive", 1), ("cancel", 1)] == [(spec.argv[1], spec.attempt) for spec in at.jobs.begun]
    assert "ended" == at.jobs.runs[job().mark].state


def test_a_cancelled_job_is_not_tried_again(tmp_path: Path) -> None:
    at = server(job(), answers={"archive": (12, "later"), "locate": (0, "")})
    found = hands(tmp_path, {"vts1": at})
    at.act = lambda spec: found.book.ask_cancel([job().id], NOW) if spec.argv[1] == "archive" else None

    assert Status.CANCELLED == done(job(), found).status


def test_an_archive_that_ends_at_once_is_two_questions_to_its_server(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)

    assert Status.DONE == done(job(), hands(tmp_path, {"vts1": at})).status
    assert ["start", "start"] == at.calls


def test_a_kept_connection_that_died_is_replaced_unseen(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)
    found = hands(tmp_path, {"vts1": at})
    found.yard.with_server("vts1", lambda there, _: there.look((), "/s"))
    at.away = 1

    assert Status.DONE == done(job(), found).status
    assert 1 == at.archived


def test_failures_in_a_row_are_counted_and_a_success_ends_the_row(tmp_path: Path) -> None:
    at = server(job(1), job(2), job(3), answers={"archive": (12, "never")})
    found = hands(tmp_path, {"vts1": at})
    done(job(1), found)
    done(job(2), found)

    assert [("bma", "tool", 2), ("policy", "nightly", 2)] == [row[:3] for row in found.book.troubles()]

    at.answers |= GOOD
    assert Status.DONE == done(job(3), found).status
    assert [] == found.book.troubles()


def test_a_cancelled_run_is_ended_by_the_bmas_own_command_first(tmp_path: Path) -> None:
    at = server(job(), answers={"cancel": (0, "")})
    found = hands(tmp_path, {"vts1": at})
    at.act = lambda spec: found.book.ask_cancel([job().id], NOW) if spec.argv[1] == "archive" else None

    ended = done(job(), found)

    assert Status.CANCELLED == ended.status
    assert ["archive", "cancel"] == [spec.argv[1] for spec in at.jobs.begun]
    assert "" == ended.wish


def test_a_bug_on_one_tape_is_doubt_and_no_end_of_the_others(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD)

    def burst(_: RunSpec) -> None:
        raise KeyError("a bug")

    at.act = burst

    assert Status.IN_DOUBT == done(job(), hands(tmp_path, {"vts1": at})).status


def test_cancelled_while_nobody_looked_a_run_is_ended_and_not_forgotten(tmp_path: Path) -> None:
    """The executor was stopped, somebody cancelled, and another one takes the job over."""
    at = server(job(), answers={"cancel": (0, "")})
    found = hands(tmp_path, {"vts1": at})
    found.book.add("r1", [job()], NOW)
    (entry,) = found.book.take("me", Limits(), 1, NOW)
    at.start(RunSpec(id=job().mark, attempt=1, argv=("tool", "archive", job().mark)), "/s")
    found.book.ask_cancel([job().id], NOW)

    assert "cancelled" == bring(entry.id, entry.attempt, found, is_adopted=True)
    assert "ended" == at.jobs.runs[job().mark].state


def test_cancelled_while_its_server_was_away_a_job_is_not_carried_out(tmp_path: Path) -> None:
    at = server(job(), answers=GOOD, away=1)
    found = hands(tmp_path, {"vts1": at})
    assert Status.SUBMITTED == done(job(), found).status
    found.book.ask_cancel([job().id], NOW)

    assert (Status.CANCELLED, "cancelled before it ran") == (
        (ended := done(job(), found)).status,
        ended.reason,
    )
    assert [] == at.jobs.begun


def test_an_answer_of_before_an_interruption_does_not_count(tmp_path: Path) -> None:
    """The catalogue showed nothing, the executor died, and the copy of the first attempt came late."""
    at = server(job(), answers={"archive": (12, "later")})
    found = hands(tmp_path, {"vts1": at})
    assert Status.PLANNED == done(job(), found).status
    (entry,) = found.book.take("me", Limits(), 1, NOW + 4000)
    locate = RunSpec(id=f"{job().mark}-before", attempt=2, argv=("tool", "locate", job().mark))
    at.start(locate, "/s")  # asked by the one that died
    at.shelf.append(job().mark)

    assert "planned" == bring(entry.id, entry.attempt, found, is_adopted=True)
    assert Status.UNPROVEN == done(job(), found).status
    assert 1 == at.archived


def test_what_may_be_at_work_passes_parking_and_its_tape_is_nobody_elses(tmp_path: Path) -> None:
    at = Cut(answers=GOOD)
    at.jobs.tapes[job().cartridge] = tape(job())
    found = hands(tmp_path, {"vts1": at})
    done(job(), found)
    found.book.add("r2", [job(bytes=11), job(2, action="restore", bytes=0), job(3)], NOW)
    parked = Limits(parked=frozenset({("bma", "tool"), ("policy", "nightly")}))

    assert not found.book.is_idle(parked)
    assert [job(), job(2, action="restore", bytes=0)] == [
        one.job for one in found.book.take("me", parked, 9, NOW)
    ]
    assert [job(3)] == [one.job for one in found.book.take("me", Limits(), 9, NOW)]  # the first tape is taken


class Elsewhere(Tool):
    """Its own servers do the work; nobody here can end it."""

    def outlives(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ((124, ""), Status.IN_DOUBT),
        ((137, ""), Status.IN_DOUBT),
        ((None, ""), Status.IN_DOUBT),
        ((1, "what?"), Status.PLANNED),
    ],
)
def test_what_may_go_on_elsewhere_is_not_begun_beside_itself(
    tmp_path: Path, said: tuple[int | None, str], status: Status
) -> None:
    at = server(job(), answers={"archive": said, "locate": (0, ""), "cancel": (0, "")})
    found = hands(tmp_path, {"vts1": at})
    place = replace(found.yard.place("vts1"), bmas={"tool": (Elsewhere(), None)})
    found = replace(found, yard=replace(found.yard, places={"vts1": place}))

    assert status == done(job(), found).status


# ---- a BMA that cannot tell our copy from any other


class Unmarked(Tool):
    """Its catalogue shows dates alone: `10@monday`."""

    def has_mark(self, options: Mapping[str, Any]) -> bool:
        return False

    def located(self, settings: Any, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
        words = [word.split("@") for word in output.text.split()]
        return [Located(path=paths[0], size=int(size), when=when) for size, when in words]


def unmarked(
    tmp_path: Path, before: str, after: str, archive: tuple[int | None, str] = (0, "yes")
) -> tuple[Server, Hands]:
    """What its catalogue shows before and after something was archived."""
    at = server(job(), answers={"archive": archive, "locate": (0, before)})

    def act(spec: RunSpec) -> None:
        if spec.argv[1] == "archive":
            at.answers["locate"] = (0, after)

    at.act = act
    found = hands(tmp_path, {"vts1": at})
    place = replace(found.yard.place("vts1"), bmas={"tool": (Unmarked(), None)})
    return at, replace(found, yard=replace(found.yard, places={"vts1": place}))


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("", "10@tuesday", Status.DONE),
        ("10@monday", "10@monday 10@tuesday", Status.DONE),
        ("9@monday", "9@monday 10@tuesday", Status.DONE),
        ("10@monday", "10@monday", Status.UNPROVEN),
        ("10@monday", "10@monday 9@tuesday", Status.UNPROVEN),
    ],
)
def test_an_older_copy_is_no_witness(tmp_path: Path, before: str, after: str, status: Status) -> None:
    at, found = unmarked(tmp_path, before, after)

    assert status == done(job(), found).status
    assert 1 == at.archived


def test_where_nobody_knows_what_was_there_before_nothing_is_archived(tmp_path: Path) -> None:
    at, found = unmarked(tmp_path, "", "10@tuesday")
    at.answers["locate"] = (12, "no connection")

    assert [Status.PLANNED, 0] == [done(job(), found).status, at.archived]
    at.answers["locate"] = (0, "10@monday")
    assert [Status.DONE, 1] == [done(job(), found).status, at.archived]


@pytest.mark.parametrize(
    ("after", "status", "archived"),
    [("10@monday", Status.PLANNED, 2), ("10@monday 10@tuesday", Status.UNPROVEN, 1)],
)
def test_what_has_come_since_the_first_attempt_is_ours(
    tmp_path: Path, after: str, status: Status, archived: int
) -> None:
    at, found = unmarked(tmp_path, "10@monday", after, (12, "later"))

    assert Status.PLANNED == done(job(), found).status
    assert status == done(job(), found).status
    assert archived == at.archived


# ---- restore and erase


def proof(of: Job, **more: Any) -> Proof:
    return Proof(**{
        "host": of.host, "cartridge": of.cartridge, "size": 10, "mtime": 1, "inode": of.inode, "bma": "tool",
        "token": "vtsconf-copy", "at": NOW - 1, "witnesses": ("bma", "catalogue", "file"), **more,
    })  # fmt: skip


def stub() -> Job:
    return job(action="restore", bytes=0, mtime=5)


def restored(tmp_path: Path, size: int, answer: tuple[int | None, str]) -> tuple[Server, Entry]:
    """The BMA writes so many bytes, and then says this."""
    at = server(stub(), answers={"restore": answer, "-c": (0, "")})

    def act(spec: RunSpec) -> None:
        sizes = {"restore": size, "-c": 0}  # the other one puts the stub back
        if spec.argv[1] in sizes:
            at.jobs.tapes[stub().cartridge] = tape(stub(), size=sizes[spec.argv[1]], mtime=6)

    at.act = act
    found = hands(tmp_path, {"vts1": at})
    found.book.prove(proof(job()))
    return at, done(stub(), found)


def test_a_restore_is_done_when_the_file_is_whole(tmp_path: Path) -> None:
    at, ended = restored(tmp_path, 10, (0, "yes"))

    assert Status.DONE == ended.status
    assert ("tool", "restore", "vtsconf-copy", stub().cartridge) == at.jobs.begun[0].argv


@pytest.mark.parametrize(
    ("size", "answer", "status"),
    [
        (5, (0, "yes"), Status.PLANNED),
        (10, (4, "part"), Status.PLANNED),
        (5, (12, "never"), Status.FAILED),
        (5, (None, ""), Status.FAILED),
    ],
)
def test_whatever_goes_wrong_with_a_restore_the_stub_is_back(
    tmp_path: Path, size: int, answer: tuple[int | None, str], status: Status
) -> None:
    at, ended = restored(tmp_path, size, answer)

    assert status == ended.status
    assert "the empty stub is back" in ended.reason
    assert 0 == at.jobs.tapes[stub().cartridge].size


def test_more_bytes_than_the_copy_has_are_somebody_elses(tmp_path: Path) -> None:
    """The host waits for this very mount: it may write before we look."""
    at, ended = restored(tmp_path, 11, (0, "yes"))

    assert Status.IN_DOUBT == ended.status
    assert 11 == at.jobs.tapes[stub().cartridge].size


@pytest.mark.parametrize(("size", "answer"), [(10, (0, "yes")), (6, (0, "yes")), (6, (12, "later"))])
def test_what_the_host_has_written_since_is_neither_emptied_nor_proven(
    tmp_path: Path, size: int, answer: tuple[int, str]
) -> None:
    """The answer was lost for hours; the tape had come back, was mounted, and another one stands there now."""
    at = server(stub(), answers={"restore": answer})
    at.act = lambda _: at.jobs.tapes.update({stub().cartridge: tape(stub(), size=size, mtime=5000 * 10**9)})
    found = hands(tmp_path, {"vts1": at})
    found.book.prove(proof(job()))
    ended = done(stub(), found)

    assert (Status.IN_DOUBT, size) == (ended.status, at.jobs.tapes[stub().cartridge].size)
    assert [1] == [one.mtime for one, _ in found.book.proofs("vts1")]


@pytest.mark.parametrize("answer", [(None, ""), (124, ""), (1, "what?")])
def test_before_the_stub_is_put_back_the_bma_is_asked_to_end(
    tmp_path: Path, answer: tuple[int | None, str]
) -> None:
    at, _ = restored(tmp_path, 5, answer)

    assert ["restore", "cancel", "-c"] == [spec.argv[1] for spec in at.jobs.begun]


def test_a_file_that_is_written_to_is_not_emptied(tmp_path: Path) -> None:
    at = server(stub(), answers={"restore": (12, "later"), "-c": (0, "")})
    sizes = iter((4, 5, 6, 7, 8, 9))

    def act(spec: RunSpec) -> None:
        at.jobs.tapes[stub().cartridge] = tape(stub(), size=0 if spec.argv[1] == "-c" else 4, mtime=6)

    def look(*words: Any, **more: Any) -> RunsSeen:
        seen = Server.look(at, *words, **more)
        at.jobs.tapes[stub().cartridge] = tape(stub(), size=next(sizes), mtime=7)
        return seen

    at.act, at.look = act, look  # type: ignore[method-assign]
    found = hands(tmp_path, {"vts1": at})
    found.book.prove(proof(job()))
    ended = done(stub(), found)

    assert Status.IN_DOUBT == ended.status
    assert "could NOT be put back" in ended.reason
    assert [] == [spec for spec in at.jobs.begun if spec.argv[1] == "-c"]


def test_a_tape_that_another_request_has_brought_back_is_no_failure(tmp_path: Path) -> None:
    at, _ = restored(tmp_path, 10, (0, "yes"))
    found = hands(tmp_path, {"vts1": at})
    again = replace(stub(), nonce="2")

    assert (Status.DONE, True) == ((ended := done(again, found)).status, "there already" in ended.reason)
    at.jobs.tapes[stub().cartridge] = tape(stub(), size=10, mtime=7)  # written to since
    assert Status.FAILED == done(replace(stub(), nonce="3"), found).status


def test_nothing_is_restored_over_a_tape_with_bytes_or_without_a_copy(tmp_path: Path) -> None:
    at = server(answers={"restore": (0, "yes")})
    at.jobs.tapes[stub().cartridge] = tape(stub(), size=3)
    found = hands(tmp_path, {"vts1": at})
    assert "no copy" in done(stub(), found).reason

    found.book.prove(proof(job()))
    assert "not started" in done(job(action="restore", bytes=0, mtime=5, nonce="2"), found).reason
    assert [] == at.jobs.begun


def test_without_the_servers_own_command_nothing_is_erased(tmp_path: Path) -> None:
    at = server(job())
    found = hands(tmp_path, {"vts1": at})
    found.book.prove(proof(job()))

    ended = done(job(action="erase", bma=""), found)

    assert Status.FAILED == ended.status
    assert "not known how vts1 erases a tape" in ended.reason
    assert [] == at.jobs.begun


def erased(tmp_path: Path, *others: str, host: str = "vts1", cluster: str = "") -> tuple[Server, Entry]:
    """On a server that erases as VTS does; `others` are further tapes, `cluster` its peers."""
    one = job(host=host, action="erase", bma="")
    at = server(one, *(job(9, cartridge=path) for path in others))
    at.act = lambda spec: at.jobs.tapes.update({one.cartridge: tape(one, size=0)})
    at.answers = {"erase": (0, "")}
    found = hands(tmp_path, {host: at})
    peers = {PEERS: WantedParameter(name=PEERS, text=cluster, address=PEERS)} if cluster else {}
    vts = Vts(
        vtspolicy=VtsPolicyCommand(command=("tool", "erase")), tape_is_free=("true",), vaults=("VAULT01", "OTHER"),
        gathered=peers, policies={"nightly": Policy(action="erase")}, allow_erase=("policies/nightly",),
    )  # fmt: skip
    place = replace(found.yard.place(host), vts=vts)
    found = replace(found, yard=replace(found.yard, places={host: place}))
    found.book.prove(proof(one))
    return at, done(one, found)


def test_a_proven_tape_is_erased_by_the_servers_own_line(tmp_path: Path) -> None:
    at, ended = erased(tmp_path, "/VAULT01/P/T00002", "/elsewhere/P/T00001")

    assert Status.DONE == ended.status
    assert ("tool", "erase", "VTSPolicy Erase - T00001") == at.jobs.begun[0].argv
    assert (("true", "/VAULT01/P/T00001"),) == at.jobs.begun[0].checks


def test_an_erase_that_is_not_allowed_any_more_does_not_happen(tmp_path: Path) -> None:
    """Its policy, or its leave, was taken out after it was planned."""
    one = job(action="erase", bma="", policy="gone")
    for number, (vts, allowed, status) in enumerate((
        (Vts(), (), Status.FAILED),
        (Vts(policies={"gone": Policy(action="erase")}), (), Status.FAILED),
        (Vts(policies={"gone": Policy(action="erase")}, allow_erase=("gone",)), (), Status.DONE),
        (Vts(policies={"gone": Policy(action="erase")}), ("gone",), Status.DONE),
    )):  # fmt: skip
        (folder := tmp_path / str(number)).mkdir()
        at = server(one, answers={"erase": (0, "")})
        at.act = lambda _, at=at: at.jobs.tapes.update({one.cartridge: tape(one, size=0)})
        found = hands(folder, {"vts1": at}, allowed=frozenset(allowed))
        means = replace(vts, vtspolicy=VtsPolicyCommand(command=("tool", "erase")), tape_is_free=("true",))
        place = replace(found.yard.place("vts1"), vts=means)
        found = replace(found, yard=replace(found.yard, places={"vts1": place}))
        found.book.prove(proof(one))

        assert status == done(one, found).status


@pytest.mark.parametrize("other", ["/VAULT01/Q/T00001", "/VAULT02/P/T00001", "/OTHER/P/T00001"])
def test_a_name_that_two_tapes_have_is_never_erased(tmp_path: Path, other: str) -> None:
    """The line names no pool: either could be meant."""
    at, ended = erased(tmp_path, other)

    assert (Status.FAILED, True) == (ended.status, f"{other} has the same name" in ended.reason)
    assert [] == at.jobs.begun


def test_in_a_cluster_the_line_says_who_is_to_erase(tmp_path: Path) -> None:
    (tmp_path / "short").mkdir()
    at, ended = erased(tmp_path / "short", cluster="vts2")
    assert (Status.FAILED, [], True) == (ended.status, at.jobs.begun, "in a cluster" in ended.reason)

    at, ended = erased(tmp_path, host="vts1.bank", cluster="vts2.bank")
    assert Status.DONE == ended.status
    assert "VTSPolicy Erase - T00001 s=vts1.bank" == at.jobs.begun[0].argv[-1]
