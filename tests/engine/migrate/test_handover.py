"""A tape that is handed over to VTS: only a copy that was not there before proves it, and no line is given twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.migrate.around import Server, Tool, hands, job, tape
from vtsconf.bma.contract import Judgement, Located, Output, Verdict
from vtsconf.core.errors import Unreachable
from vtsconf.core.migrate.turns import Limits
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.bring import bring
from vtsconf.engine.migrate.hands import Hands
from vtsconf.engine.migrate.yard import Yard
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policy
from vtsconf.resources.written import VtsPolicyCommand
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState

START = 1_800_000_000
WISH = job(bma="tsm", submit="vtspolicy", policy="nightly", attempts=5)


class Dated(Tool):
    """Its catalogue tells of each copy when it was made, and on which tape it is: `10@monday/A1`; `?`: no answer."""

    def judge(self, settings: Any, action: str, output: Output, paths: Sequence[str]) -> Judgement:
        verdict = Verdict.UNKNOWN if output.text == "?" else Verdict.SUCCESS
        return Judgement(verdict=verdict, reason="")

    def located(self, settings: Any, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
        parts = [word.replace("/", "@").split("@") for word in output.text.split() if word != "?"]
        return [
            Located(path=paths[0], size=int(size), when=when, media="".join(media))
            for size, when, *media in parts
        ]


@dataclass(kw_only=True)
class Vts1:
    """A server whose VTSPolicy command does what a test says; `catalogue` is what its BMA shows."""

    folder: Path
    waits: bool = True
    server: Server = field(default_factory=Server)
    work: Hands = field(init=False)
    clock: Iterator[int] = field(default_factory=lambda: iter(range(START, START + 10**9, 3600)))

    def __post_init__(self) -> None:
        self.server.jobs.tapes[WISH.cartridge] = tape(WISH)
        self.server.act = self.act
        self.made = ""
        self.begin()
        self.work.book.add("m1", [WISH], START)

    def begin(self) -> None:
        """An executor; again: one that was started anew."""
        work = hands(self.folder, {"vts1": self.server}, now=lambda: next(self.clock))
        policy = Policy(action="migrate", bma="tsm", options={"type": "archive"}, submit="vtspolicy")
        place = replace(
            work.yard.place("vts1"), bmas={"tsm": (Dated(), None)},
            vts=Vts(
                release="8.2", policies={"nightly": policy},
                vtspolicy=VtsPolicyCommand(command=("tool", "submit"), waits=self.waits, within="1s"),
            ),
        )  # fmt: skip
        work.yard = Yard(places={"vts1": place}, reach=work.yard.reach)
        self.work = work

    def says(self, submit: tuple[int | None, str] | None, before: str, after: str) -> Vts1:
        """How the command ends (None: it goes on), and what the catalogue shows before and after a line was given."""
        if submit:
            self.server.answers["submit"] = submit
        else:
            self.server.answers.pop("submit", None)
        self.catalogue(before)
        self.made = after
        return self

    def catalogue(self, shows: str) -> None:
        self.server.answers["locate"] = (0, shows)

    def act(self, spec: RunSpec) -> None:
        if spec.argv[1] == "submit":
            self.catalogue(self.made)

    def take(self) -> Entry:
        (entry,) = self.work.book.take("me", Limits(), 1, next(self.clock) + 10**8)
        return entry

    def go(self, entry: Entry | None = None) -> str:
        """How an attempt comes out."""
        entry = entry or self.take()
        return bring(entry.id, entry.attempt, self.work)

    @property
    def reason(self) -> str:
        return self.work.book.get(WISH.id)[0].reason

    @property
    def lines(self) -> int:
        return sum(spec.argv[1] == "submit" for spec in self.server.jobs.begun)


@pytest.fixture
def vts(tmp_path: Path) -> Vts1:
    return Vts1(folder=tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "status", "reason"),
    [
        ("", "10@tuesday", "done", "archived by VTS"),
        ("10@monday", "10@monday", "unproven", "no new copy"),
        ("10@monday", "10@monday 10@tuesday", "done", ""),
        ("10@monday", "10@monday 10@monday", "done", ""),  # in the same second: there are two now
        ("10@monday", "10@monday/A2", "unproven", "no new copy"),  # the BMA has moved the old one to a tape
        ("7@monday", "7@monday 10@tuesday", "done", ""),  # the tape has grown since the old one
        ("10@monday", "10@monday 7@tuesday", "unproven", "the catalogue has 7 bytes, the tape 10"),
        ("10@monday 7@tuesday", "10@monday 7@tuesday", "unproven", "no new copy"),
        ("", "?", "unproven", "no new copy"),  # it does not answer any more
    ],
)
def test_what_the_catalogue_proves(vts: Vts1, before: str, after: str, status: str, reason: str) -> None:
    assert (status, 1) == (vts.says((0, ""), before, after).go(), vts.lines)
    assert reason in vts.reason


def test_without_knowing_that_the_command_waits_it_is_unproven(tmp_path: Path) -> None:
    vts = Vts1(folder=tmp_path, waits=False).says((0, ""), "", "10@tuesday")

    assert ("unproven", True) == (vts.go(), "vts.vtspolicy.waits" in vts.reason)


def test_no_line_is_given_while_the_catalogue_does_not_say_what_it_holds(vts: Vts1) -> None:
    """Else an old copy, seen afterwards, would be taken for the new one."""
    vts.says((0, ""), "?", "10@monday")
    assert ("planned", 0) == (vts.go(), vts.lines)

    vts.catalogue("10@monday")
    assert ("unproven", 1) == (vts.go(), vts.lines)


def test_what_vts_refuses_is_tried_again(vts: Vts1) -> None:
    assert ("planned", 1) == (vts.says((1, "busy"), "", "").go(), vts.lines)
    assert "the VTSPolicy command ended with 1" == vts.reason

    assert ("done", 2) == (vts.says((0, ""), "", "10@tuesday").go(), vts.lines)


def test_a_command_that_is_not_there_is_not_tried_again(vts: Vts1) -> None:
    assert ("failed", 1) == (vts.says((127, "not found"), "", "").go(), vts.lines)


def test_a_command_that_fails_after_the_copy_was_made_makes_no_second_one(vts: Vts1) -> None:
    assert ("unproven", 1) == (vts.says((1, "?!"), "", "10@tuesday").go(), vts.lines)
    assert "ended with 1, yet the catalogue has a new copy" in vts.reason


def test_nor_does_one_whose_copy_comes_later_than_its_failure(vts: Vts1) -> None:
    assert "planned" == vts.says((1, "?!"), "", "").go()
    vts.catalogue("10@tuesday")

    assert ("unproven", 1) == (vts.go(), vts.lines)


@pytest.mark.parametrize("how", [(None, ""), (124, ""), (137, "")])
def test_a_line_that_may_have_been_taken_is_not_given_again(vts: Vts1, how: tuple[int | None, str]) -> None:
    assert ("in_doubt", 1) == (vts.says(how, "", "").go(), vts.lines)


@dataclass(kw_only=True)
class Cut(Server):
    """Nobody answers once the line was given."""

    is_cut: bool = True

    def start(self, spec: RunSpec, state_dir: str, **more: Any) -> RunState:
        if self.is_cut and "-look" in spec.id:
            raise Unreachable("vts1: nobody answers")
        return super().start(spec, state_dir, **more)


@pytest.mark.parametrize(("after", "status"), [("10@monday 10@tuesday", "done"), ("10@monday", "unproven")])
def test_a_server_that_is_lost_after_the_line_was_given_gets_no_second_one(
    tmp_path: Path, after: str, status: str
) -> None:
    """The next attempt goes on with it, and knows what was there before; VTS may be slow."""
    vts = Vts1(folder=tmp_path, server=(server := Cut())).says((0, ""), "10@monday", after)
    assert ("submitted", 1, "vts1: nobody answers") == (vts.go(), vts.lines, vts.reason)

    server.is_cut = False
    assert (status, 1) == (vts.go(), vts.lines)


CALLS = 6  # look, before, the line, the question, its forgetting, the tape


def test_these_are_all_calls_that_there_are(tmp_path: Path) -> None:
    server = Deadly()

    assert "done" == Vts1(folder=tmp_path, server=server).says((0, ""), "", "10@tuesday").go()
    assert CALLS == server.counted


class Died(BaseException):
    """The executor, at this instruction."""


@dataclass(kw_only=True)
class Deadly(Server):
    """Whoever calls it for the `at`th time dies, before or after the call has done its work; the lookout's calls do not count."""

    at: int = -1
    is_after: bool = False
    thread: int = field(default_factory=threading.get_ident)
    counted: int = 0

    def start(self, spec: RunSpec, state_dir: str, **more: Any) -> RunState:
        return self._deadly(lambda: super(Deadly, self).start(spec, state_dir, **more))

    def look(self, *words: Any, **more: Any) -> RunsSeen:
        return self._deadly(lambda: super(Deadly, self).look(*words, **more))

    def forget(self, ids: Sequence[str], state_dir: str) -> tuple[str, ...]:
        return self._deadly(lambda: super(Deadly, self).forget(ids, state_dir))

    def _deadly(self, call: Callable[[], Any]) -> Any:
        if threading.get_ident() != self.thread:
            return call()
        is_now = self.counted == self.at
        self.counted += 1
        if is_now and not self.is_after:
            raise Died
        answer = call()
        if is_now:
            raise Died
        return answer


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("moment", range(CALLS))
def test_killed_at_any_call_of_the_server_the_line_is_given_once(
    tmp_path: Path, moment: int, *, is_after: bool
) -> None:
    vts = Vts1(folder=tmp_path, server=Deadly(at=moment, is_after=is_after))
    vts.says((0, ""), "10@monday", "10@monday 10@tuesday")
    entry = vts.take()
    with pytest.raises(Died):
        vts.go(entry)
    vts.begin()

    assert ("done", 1) == (vts.go(entry), vts.lines)


def test_a_person_who_asks_again_has_the_line_given_again(vts: Vts1) -> None:
    """It was taken, and nothing came of it."""
    assert "unproven" == vts.says((0, ""), "", "").go()
    vts.work.book.retry([WISH.id], START)

    assert ("done", 2) == (vts.says((0, ""), "", "10@tuesday").go(), vts.lines)


def test_unless_the_copy_has_come_meanwhile(vts: Vts1) -> None:
    assert "unproven" == vts.says((0, ""), "10@monday", "10@monday").go()
    vts.work.book.retry([WISH.id], START)
    vts.catalogue("10@monday 10@tuesday")

    assert ("done", 1) == (vts.go(), vts.lines)


def test_a_tape_that_changed_meanwhile_is_not_proven(vts: Vts1) -> None:
    vts.says((0, ""), "", "10@tuesday")
    act = vts.server.act

    def write(spec: RunSpec) -> None:
        act(spec)
        if spec.argv[1] == "submit":
            vts.server.jobs.tapes[WISH.cartridge] = tape(WISH, mtime=2)

    vts.server.act = write
    assert ("unproven", True) == (vts.go(), "the tape changed meanwhile: mtime" in vts.reason)


def test_questions_to_the_catalogue_are_forgotten(vts: Vts1) -> None:
    vts.says((0, ""), "", "").go()

    assert {WISH.mark, f"{WISH.mark}-before1"} == set(vts.server.jobs.runs)


def test_a_server_that_is_away_when_they_are_to_be_forgotten_harms_nothing(vts: Vts1) -> None:
    vts.says((0, ""), "", "10@tuesday")

    def forget(*_: Any) -> tuple[str, ...]:
        raise Unreachable("vts1: nobody answers")

    vts.server.forget = forget  # type: ignore[method-assign]
    assert "done" == vts.go()


def test_cancelled_while_the_command_is_at_work(vts: Vts1) -> None:
    entry = vts.says(None, "", "").take()
    act = vts.server.act

    def cancel(spec: RunSpec) -> None:
        act(spec)
        if spec.argv[1] == "submit":
            vts.work.book.ask_cancel([WISH.id], START)

    vts.server.act = cancel
    assert ("cancelled", True) == (vts.go(entry), "what VTS has begun may go on" in vts.reason)


def test_the_proof_says_that_the_copy_has_no_mark_of_ours(vts: Vts1) -> None:
    vts.says((0, ""), "", "10@tuesday").go()
    ((proof, about),) = vts.work.book.proofs("vts1", [WISH.cartridge])

    assert ("", True, 10) == (proof.token, proof.is_complete, proof.size)
    assert {"bma", "catalogue", "file"} == set(about["words"])
