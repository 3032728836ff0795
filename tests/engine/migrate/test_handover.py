"""A tape that is handed over to VTS: only a copy that was not there before is the one that VTS has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.engine.migrate.around import Server, Tool, hands, job, tape
from vtsconf.bma.contract import Located, Output
from vtsconf.core.migrate.turns import Limits
from vtsconf.engine.migrate.bring import bring
from vtsconf.engine.migrate.yard import Yard
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policy
from vtsconf.resources.written import VtsPolicyCommand


class Dated(Tool):
    """Its catalogue tells of each copy when it was made: `10@monday`."""

    def located(self, settings: Any, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
        parts = [word.partition("@") for word in output.text.split()]
        return [Located(path=paths[0], size=int(size), when=when) for size, _, when in parts]


def handed_over(tmp_path: Path, catalogue: Mapping[str, str], *, waits: bool = True) -> str:
    """How the job ends; `catalogue` is what it shows, before and after the line was taken."""
    wish = job(bma="tsm", submit="vtspolicy", policy="nightly", attempts=1)
    server = Server(answers={"submit": (0, "")})
    server.jobs.tapes[wish.cartridge] = tape(wish)
    server.answers["locate"] = (0, catalogue["before"])

    def act(spec: Any) -> None:
        if spec.argv[1] == "submit":
            server.answers["locate"] = (0, catalogue["after"])

    server.act = act
    clock = iter(range(1_800_000_000, 1_900_000_000, 3600))
    work = hands(tmp_path, {"vts1": server}, now=lambda: next(clock))
    policy = Policy(action="migrate", bma="tsm", options={"type": "archive"}, submit="vtspolicy")
    command = VtsPolicyCommand(command=("tool", "submit"), waits=waits, within="1s")
    place = replace(
        work.yard.place("vts1"), bmas={"tsm": (Dated(), None)},
        vts=Vts(release="8.2", policies={"nightly": policy}, vtspolicy=command),
    )  # fmt: skip
    work.yard = Yard(places={"vts1": place}, reach=work.yard.reach)
    work.book.add("m1", [wish], 1)
    (entry,) = work.book.take("me", Limits(), 1, 2)
    return bring(entry.id, entry.attempt, work)


def test_a_copy_that_vts_has_made_is_proven(tmp_path: Path) -> None:
    assert "done" == handed_over(tmp_path, {"before": "", "after": "10@tuesday"})


def test_an_old_copy_of_the_same_size_proves_nothing(tmp_path: Path) -> None:
    assert "unproven" == handed_over(tmp_path, {"before": "10@monday", "after": "10@monday"})


def test_a_newer_copy_beside_an_old_one_does(tmp_path: Path) -> None:
    assert "done" == handed_over(tmp_path, {"before": "10@monday", "after": "10@monday 10@tuesday"})


def test_without_knowing_that_the_command_waits_it_is_unproven(tmp_path: Path) -> None:
    assert "unproven" == handed_over(tmp_path, {"before": "", "after": "10@tuesday"}, waits=False)
