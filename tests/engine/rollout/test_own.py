"""What this machine runs of what the store says: only the commands of its own documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.rollout.gating import FAIL, INCONCLUSIVE, PASS, rollout
from tests.engine.rollout.test_gates import Fleet, fleet_desk
from vtsconf.cli.rollout.leading import desk_for
from vtsconf.cli.wiring import open_shop
from vtsconf.core.errors import Refused
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import Health, HostPlan
from vtsconf.core.rollout.gate import Question
from vtsconf.core.rollout.strategy import Gates, Strategy, to_json
from vtsconf.core.runs import Event
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.gates import ask

RUN = "20260101-120000-abcd"
INVENTORY = """\
all:
  hosts:
    vts1: {vts: {health: {tickets: {run: ["true"], on: controller}, there: {run: [touch, there]}}}}
    vts2: {}
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "rollouts").mkdir()
    checks = "{open: {run: ['false'], on: once}, there: {run: [rm, there]}}"
    (tmp_path / "rollouts/nights.yaml").write_text(f"gates: {{checks: {checks}}}\n")
    (tmp_path / "elsewhere.yaml").write_text("gates: {checks: {x: {run: [touch, strange], on: once}}}\n")
    monkeypatch.chdir(tmp_path)
    return desk_for(open_shop(None), RUN)


def written(desk: Desk, strategy: str) -> None:
    """So is it in the store."""
    body = {
        "command": "rollout",
        "hosts": ["vts1"],
        "strategy": to_json(Strategy(name=strategy, gates=Gates())),
    }
    desk.journal.add_all([Event(at=1, run=RUN, action="run-started", body=body)])


def on(where: str, *argv: str) -> Question:
    return Question(gate="checks/x", argv=argv, on=where)


@pytest.mark.parametrize(
    ("host", "strategy", "question", "verdict"),
    [
        ("vts1", "nights", on("controller", "true"), PASS),
        ("vts1", "nights", on("once", "false"), FAIL),
        ("vts1", "nights", on("once", "touch", "strange"), INCONCLUSIVE),
        ("vts1", "nights", on("controller", "touch", "there"), INCONCLUSIVE),  # on the server it would be right
        ("vts1", "nights", on("once", "rm", "there"), INCONCLUSIVE),
        ("vts1", "canary", on("once", "false"), INCONCLUSIVE),
        ("vts2", "nights", on("controller", "true"), INCONCLUSIVE),
        ("gone", "nights", on("controller", "true"), INCONCLUSIVE),
        ("vts1", "elsewhere.yaml", on("once", "touch", "strange"), INCONCLUSIVE),
        ("vts1", "../elsewhere", on("once", "touch", "strange"), INCONCLUSIVE),
    ],
)  # fmt: skip
def test_only_what_our_documents_have_run_is_run(
    tmp_path: Path, desk: Desk, host: str, strategy: str, question: Question, verdict: object
) -> None:
    written(desk, strategy)
    (answer,) = ask(1, [host], rollout({host: [question]}), desk)

    assert (verdict, False) == (answer.verdict, (tmp_path / "strange").exists())
    assert verdict is not INCONCLUSIVE or "update your checkout" in answer.reason


def test_of_a_wave_all_servers_must_have_it(desk: Desk) -> None:
    written(desk, "canary")
    question = on("once", "true")
    (answer,) = ask(1, ["vts1", "vts2"], rollout({"vts1": [question], "vts2": [question]}), desk)

    assert INCONCLUSIVE is answer.verdict


def test_a_strategy_that_was_read_here_is_ours_wherever_it_lay(desk: Desk) -> None:
    check = Question(gate="x", argv=("true",), on="once")
    ours = desk_for(open_shop(None), RUN, Strategy(name="slow", gates=Gates(checks=(check,))))
    (answer,) = ask(1, ["vts2"], rollout({"vts2": [check]}), ours)

    assert PASS is answer.verdict


def test_where_all_is_ours_nothing_is_compared(tmp_path: Path) -> None:
    (answer,) = ask(1, ["vts1"], rollout({"vts1": [on("once", "true")]}), fleet_desk(Fleet(), tmp_path))

    assert PASS is answer.verdict


@pytest.mark.parametrize(
    ("run", "where"), [(("touch", "strange"), "controller"), (("touch", "there"), "controller")]
)
def test_a_plan_of_the_store_brings_no_health_check_of_this_machine(
    desk: Desk, run: tuple[str, ...], where: str
) -> None:
    health = Health(name="tickets", run=run, on=where)  # type: ignore[arg-type]
    plan = HostPlan(host="vts1", outcome=PlanOutcome.CHANGES, health=(health,))

    with pytest.raises(Refused, match="health check that the documents of vts1 do not have: tickets"):
        desk.order.secrets_of(plan)


def test_its_own_health_check_is_asked(desk: Desk) -> None:
    health = (Health(name="tickets", run=("true",), on="controller"), Health(name="any", run=("x",)))
    plan = HostPlan(host="vts1", outcome=PlanOutcome.CHANGES, health=health)

    assert {} == desk.order.secrets_of(plan)
