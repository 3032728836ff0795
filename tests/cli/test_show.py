"""How a plan and a result look: every problem once, with its place, why and what to do."""

from __future__ import annotations

import pytest

from vtsconf.cli import show
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.problem import Level, Place, Problem
from vtsconf.engine.apply import HostResult

WRONG = Problem(
    what="ems_enable is YES and ems_hostnames is empty",
    why="nobody would be told",
    remedy="add a host",
    code="C1",
    place=Place("group_vars/all.yaml", 7, 5),
)
ODD = Problem(what="odd", why="because", level=Level.WARNING, place=Place("host_vars/vts2.yaml", 2, 3))
NOTE = Problem(what="a value equals the default", level=Level.NOTE)


def host(name: str, *problems: Problem, outcome: PlanOutcome = PlanOutcome.IN_SYNC) -> HostPlan:
    return HostPlan(host=name, outcome=outcome, problems=problems, reason=problems[0].what)


def shown(capsys: pytest.CaptureFixture[str], *hosts: HostPlan, **switches: object) -> list[str]:
    show.show_plan(Plan(made=1, by="ops", hosts=hosts), **switches)  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


def test_a_problem_is_told_once_with_place_why_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, host("vts1", WRONG, outcome=PlanOutcome.INVALID))

    assert lines[:-1] == [
        "! vts1  invalid: 1 error",
        "    ! error: group_vars/all.yaml:7:5: ems_enable is YES and ems_hostnames is empty [C1]",
        "      why: nobody would be told",
        "      to do: add a host",
    ]


def test_what_many_hosts_share_stands_above_them_once(capsys: pytest.CaptureFixture[str]) -> None:
    invalid = PlanOutcome.INVALID
    lines = shown(capsys, host("vts1", WRONG, outcome=invalid), host("vts2", WRONG, ODD, outcome=invalid))

    assert lines[:-1] == [
        "! error: group_vars/all.yaml:7:5: ems_enable is YES and ems_hostnames is empty [C1]",
        "  why: nobody would be told",
        "  to do: add a host",
        "  hosts: vts1, vts2",
        "! vts1  invalid: 1 error",
        "! vts2  invalid: 1 error",
        "    ! warning: host_vars/vts2.yaml:2:3: odd",
        "      why: because",
    ]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [({}, False), ({"verbose": 1}, True), ({"verbose": 1, "notes": False}, False), ({"notes": True}, True)],
)
def test_notes_are_told_only_when_asked_for(
    capsys: pytest.CaptureFixture[str], switches: dict[str, object], expected: bool
) -> None:
    lines = shown(capsys, host("vts1", NOTE), **switches)

    assert expected is any("note: a value equals the default" in line for line in lines)


def test_a_whole_host_key_fits_into_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    key = "A" * 720
    plan = HostPlan(host="vts1", outcome=PlanOutcome.UNREACHABLE, reason=f"changed; to do: pin {key}")

    assert key in shown(capsys, plan)[0]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (
            RunOutcome.CHANGED,
            "  ↻ ems: written but not loaded: restart it, or give vts.services.ems.restart",
        ),
        (
            RunOutcome.REVERTED,
            "  ↻ ems: the old bytes are back and ems was not restarted on them: restart it by hand, or run apply again",
        ),
    ],
)
def test_a_debt_says_what_stands_in_the_file(
    capsys: pytest.CaptureFixture[str], outcome: RunOutcome, expected: str
) -> None:
    show.show_result(HostResult(host="vts1", outcome=outcome, debts=("ems",)))

    assert capsys.readouterr().out.splitlines()[1] == expected
