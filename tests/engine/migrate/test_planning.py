"""Plans from servers in memory: one listing each, records looked up together, and every way a server can end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.core.migrate.asked import DAY, NOW, proof, tape
from vtsconf.core.errors import Unreachable
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.engine.migrate.planning import Question, plan_migrations
from vtsconf.engine.prepare import Preparation, prepare
from vtsconf.engine.project import Project
from vtsconf.transport.tapes import TapesSeen

NIGHTLY = "nightly: {action: migrate, bma: tsm}"


@dataclass
class Shelf:
    """A server that has only tapes: it tells them, then perhaps breaks off."""

    tapes_: Sequence[Tape] = ()
    problems: tuple[str, ...] = ()
    clock: int = NOW
    breaks: Exception | None = None
    asked: list[list[str]] = field(default_factory=list)
    is_closed: bool = False

    def tapes(self, vaults: Sequence[str], on_tape: Callable[[Tape], None]) -> TapesSeen:
        self.asked.append(list(vaults))
        for one in self.tapes_:
            on_tape(one)
        if self.breaks:
            raise self.breaks
        return TapesSeen(
            count=len(self.tapes_), problems=self.problems, untold=len(self.problems), clock=self.clock
        )

    def close(self) -> None:
        self.is_closed = True


def prepared(folder: Path, vts: str = NIGHTLY, more: str = "", hosts: str = "vts1") -> Preparation:
    lines = "".join(
        f"    {name}: {{vts: {{vaults: [VAULT01], policies: {{{vts}}}{more}}}}}\n" for name in hosts.split()
    )
    (folder / "inventory.yaml").write_text(f"all:\n  hosts:\n{lines}")
    project = Project.load(folder)
    return prepare(project, project.hosts())


def plan(preparation: Preparation, shelves: dict[str, Shelf], **more):
    question = Question(**{"made": NOW, "now": NOW} | more)
    return plan_migrations(preparation, lambda target: shelves[target.name], question)  # type: ignore[return-value]


def test_every_server_is_listed_once_and_closed(tmp_path: Path) -> None:
    shelves = {name: Shelf([tape(f"/VAULT01/P/{name}")]) for name in ("vts1", "vts2", "vts3")}
    made = plan(prepared(tmp_path, hosts="vts1 vts2 vts3"), shelves)

    assert [[["/VAULT01"]]] * 3 == [shelf.asked for shelf in shelves.values()]
    assert all(shelf.is_closed for shelf in shelves.values())
    assert [("vts1", "/VAULT01/P/vts1"), ("vts2", "/VAULT01/P/vts2"), ("vts3", "/VAULT01/P/vts3")] == [
        (row.job.host, row.job.cartridge) for row in made.planned()
    ]


def test_a_list_that_was_cut_plans_nothing_of_that_server(tmp_path: Path) -> None:
    shelves = {"vts1": Shelf([tape()], breaks=Unreachable("the list ended early")), "vts2": Shelf([tape()])}
    made = plan(prepared(tmp_path, hosts="vts1 vts2"), shelves)

    assert [("unreachable", "the list ended early"), ("judged", "")] == [
        (p.outcome, p.reason) for p in made.parts
    ]
    assert ["vts2"] == [row.job.host for row in made.planned()]
    assert shelves["vts1"].is_closed


def test_a_bug_on_one_server_does_not_hide_the_others(tmp_path: Path) -> None:
    shelves = {"vts1": Shelf(breaks=ZeroDivisionError()), "vts2": Shelf([tape()])}
    made = plan(prepared(tmp_path, hosts="vts1 vts2"), shelves)

    assert ["error", "judged"] == [part.outcome for part in made.parts]
    assert "ZeroDivisionError" in made.parts[0].reason


def test_a_server_whose_documents_are_wrong_keeps_its_place_in_the_sums(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "vts1.yaml").write_text("vts: {polices: {}}\n")
    prepared(tmp_path, hosts="vts2")
    text = (tmp_path / "inventory.yaml").read_text()
    (tmp_path / "inventory.yaml").write_text(text.replace("  hosts:\n", "  hosts:\n    vts1: {}\n"))
    project = Project.load(tmp_path)
    made = plan(prepare(project, project.hosts()), {"vts2": Shelf([tape()])})

    assert [("vts2", "judged"), ("vts1", "invalid")] == [(part.host, part.outcome) for part in made.parts]
    assert ["vts2"] == [row.job.host for row in made.planned()]


def test_records_are_looked_up_a_few_hundred_together(tmp_path: Path) -> None:
    asked: list[int] = []

    def proofs(host: str, paths: Sequence[str]) -> dict[str, Proof]:
        asked.append(len(paths))
        return {path: proof(tape(path)) for path in paths if path.endswith("7")}

    tapes = [tape(f"/VAULT01/P/T{number:04}") for number in range(1234)]
    made = plan(prepared(tmp_path), {"vts1": Shelf(tapes)}, proofs=proofs)

    assert [500, 500, 234] == asked
    assert 1234 - 123 == len(list(made.planned()))


def test_the_store_is_never_asked_about_what_is_no_text(tmp_path: Path) -> None:
    asked: list[str] = []

    def proofs(_host: str, paths: Sequence[str]) -> dict[str, Proof]:
        asked.extend(paths)
        return {}

    tapes = [tape("/VAULT01/P/\udcff"), tape("/VAULT01/P/A"), tape("/VAULT01/\udcff/B")]
    made = plan(prepared(tmp_path), {"vts1": Shelf(tapes)}, proofs=proofs)

    assert ["/VAULT01/P/A"] == asked
    assert ["/VAULT01/P/A"] == [row.job.cartridge for row in made.planned()]


def test_no_more_than_a_batch_of_tapes_is_held(tmp_path: Path) -> None:
    """Tapes are forgotten when they are judged: nobody else refers to them."""
    import gc
    import weakref

    alive: weakref.WeakSet[Tape] = weakref.WeakSet()
    most = 0

    class Stream:
        def __iter__(self) -> Iterator[Tape]:
            nonlocal most
            for number in range(5000):
                one = tape(f"/VAULT01/P/T{number:04}", size=number + 1)
                alive.add(one)
                yield one
                most = max(most, len(alive))

        def __len__(self) -> int:
            return 5000

    plan(prepared(tmp_path), {"vts1": Shelf(Stream())})  # type: ignore[arg-type]
    gc.collect()

    assert 1 < most <= 502


def test_what_is_no_tape_and_a_clock_that_is_wrong_are_told(tmp_path: Path) -> None:
    shelf = Shelf([tape()], problems=("/VAULT01/x: a pipe, not a tape",), clock=NOW + 7200)
    (part,) = plan(prepared(tmp_path), {"vts1": shelf}).parts

    assert [
        "/VAULT01/x: a pipe, not a tape",
        "1 more things there are no tapes, or could not be looked at",
        "its clock is 2h ahead of ours",
    ] == [p.what for p in part.problems if p.level == "warning"]


def test_a_lab_without_named_vaults_never_lists_this_machine(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text(
        f"all: {{hosts: {{vts1: {{vts_root: /lab, vts: {{policies: {{{NIGHTLY}}}}}}}}}}}"
    )
    project = Project.load(tmp_path)
    shelf = Shelf([tape()])
    (part,) = plan(prepare(project, project.hosts()), {"vts1": shelf}).parts

    assert ("error", []) == (part.outcome, shelf.asked)
    assert "vts.vaults names no vault" in part.reason


@pytest.mark.parametrize(
    ("autoerase", "recorded", "expected"),
    [("true", False, ["unproven"]), ("true", True, []), ("false", False, [])],
)
def test_vts_that_erases_by_itself_is_told_what_is_not_proven(
    tmp_path: Path, autoerase: str, recorded: bool, expected: list[str]
) -> None:
    more = f", config_file: /c, cleanup: {{enable: true, autoerase: {autoerase}}}, allow_erase: [cleanup_autoerase, no-bma]"
    shelf = Shelf([tape(), tape("/VAULT01/P/E", size=0)])
    known = {tape().path: proof()} if recorded else {}
    (part,) = plan(prepared(tmp_path, more=more), {"vts1": shelf}, proofs=lambda _host, _paths: known).parts
    found = [problem for problem in part.problems if problem.code == "unproven"]

    assert expected == [problem.code for problem in found]
    assert all(
        "1 of 1 tapes with data are not proven on tape as they are" in problem.what for problem in found
    )


def test_only_the_policies_that_are_asked_for(tmp_path: Path) -> None:
    preparation = prepared(
        tmp_path, f"{NIGHTLY}, old: {{action: migrate, bma: tsm, select: {{min_age: 99d}}}}"
    )
    made = plan(preparation, {"vts1": Shelf([tape(age=100 * DAY)])}, only=["old"])

    assert ["old"] == [row.job.policy for row in made.planned()]


def test_a_rule_that_goes_round_is_found_on_the_tapes_that_it_takes(tmp_path: Path) -> None:
    preparation = prepared(tmp_path, "again: {action: migrate, bma: tsm, select: {migrated: any}}")
    (part,) = plan(preparation, {"vts1": Shelf([tape()])}).parts

    assert {"again": ("again",)} == part.circles


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["the policy wipe erases, and vts.vtspolicy and vts.tape_is_free are not set"]),
        (", vtspolicy: {command: [x]}", ["the policy wipe erases, and vts.tape_is_free is not set"]),
        (", vtspolicy: {command: [x]}, tape_is_free: [y]", []),
    ],
)
def test_an_erase_that_nobody_could_carry_out_is_told(tmp_path: Path, more: str, expected: list[str]) -> None:
    preparation = prepared(tmp_path, "wipe: {action: erase}", f"{more}, allow_erase: [wipe]")
    (part,) = plan(preparation, {"vts1": Shelf()}).parts

    assert expected == [problem.what for problem in part.problems if problem.code == "erase-means"]
    assert "" == part.reason
