"""Where strategies are found, and the waves that they make of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtsconf.core.errors import Invalid, Usage
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.rollout.strategy import Share, Strategy
from vtsconf.engine.project import Project
from vtsconf.engine.rollout import strategies

INVENTORY = """\
all:
  children:
    pair_a: {hosts: {"vts[1:2]": }}
    pair_b: {hosts: {"vts[3:4]": }}
    gfs: {children: {gfs_x: {hosts: {"vts[5:6]": }}}}
    berlin: {hosts: {vts1: , vts3: , vts5: }}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "rollouts").mkdir()
    return tmp_path


def project(root: Path) -> Project:
    return Project.load(root)


def plan(*working: str, idle: tuple[str, ...] = ()) -> Plan:
    """A plan with work for some hosts, in the order in which they are given, and none for others."""
    busy = [HostPlan(host=name, outcome=PlanOutcome.CHANGES, restarts=("ems",)) for name in working]
    rest = [HostPlan(host=name, outcome=PlanOutcome.IN_SYNC) for name in idle]
    return Plan(made=1, by="ops@here", hosts=(*busy, *rest))


EVERY = plan("vts6", "vts5", "vts4", "vts3", "vts2", "vts1")


def test_the_sites_own_go_before_the_built_in_ones(root: Path) -> None:
    (root / "rollouts" / "canary.yaml").write_text("waves: [7]\n")
    (root / "rollouts" / "nights.yml").write_text("soak: 1m\n")
    found = [strategies.find(name, project(root)) for name in ("canary", "nights", "all-at-once")]

    assert [("canary", "7"), ("nights", "100%"), ("all-at-once", "100%")] == [
        (one.name, str(one.waves[0])) for one in found
    ]
    assert ["all-at-once", "canary", "careful", "nights"] == strategies.names(project(root))


def test_a_file_is_named_by_its_path(root: Path) -> None:
    (root / "mine.yaml").write_text("waves: [3]\n")

    assert ["mine", "mine"] == [
        strategies.find(name, project(root)).name for name in ("mine.yaml", "./mine.yaml")
    ]


def test_an_unknown_name_tells_what_there_is(root: Path) -> None:
    (root / "rollouts" / "nights.yaml").write_text("")
    with pytest.raises(Usage, match="there is no strategy `carefull`") as caught:
        strategies.find("carefull", project(root))

    assert (
        "did you mean `careful`? There are all-at-once, canary, careful, nights; your own are rollouts/NAME.yaml"
        == caught.value.remedy
    )


@pytest.mark.parametrize("name", ["..", "", "../inventory", "a\0b"])
def test_a_hostile_name_is_no_strategy(root: Path, name: str) -> None:
    with pytest.raises((Usage, Invalid)):
        strategies.find(name, project(root))


def test_a_file_that_is_not_there(root: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        strategies.find("rollouts/none.yaml", project(root))


def test_a_strategy_with_errors_is_not_used(root: Path) -> None:
    (root / "rollouts" / "x.yaml").write_text("serial: 1\nsoak: 5\n")
    with pytest.raises(Invalid) as caught:
        strategies.find("x", project(root))

    assert ["soak", "serial"] == [problem.address.partition(".")[2] for problem in caught.value.problems]


def test_a_folder_without_strategies_is_none(root: Path) -> None:
    (root / "rollouts").rmdir()

    assert ["all-at-once", "canary", "careful"] == strategies.names(project(root))
    assert [] == strategies.problems(project(root))


def test_what_the_inventory_does_not_have_is_told_with_its_place(root: Path) -> None:
    (root / "rollouts" / "x.yaml").write_text("canary: {hosts: vts9}\napart: [pair_a, pair_aa, 'gsf*']\n")
    (root / "rollouts" / "y.yaml").write_text("soak: 5\n")
    (root / "rollouts" / "z.yaml").write_text("canary: 'berlin:&gfs'\napart: ['pair_*', gfs]\n")

    assert [
        ("x.yaml", 2, 17, "no group of the inventory is called `pair_aa`", "did you mean `pair_a`?"),
        ("x.yaml", 2, 26, "no group of the inventory is called `gsf*`", "did you mean `gfs`?"),
        ("x.yaml", 1, 17, "the canary `vts9` names no server", "did you mean `vts6`?"),
        ("y.yaml", 1, 7, "strategy.soak: `5` has no unit", "write 30s, 10m, 4h or 2d"),
    ] == [
        (Path(p.place.file).name, p.place.line, p.place.column, p.what, p.remedy)
        for p in strategies.problems(project(root))
        if p.place
    ]


def test_waves_go_by_the_inventory_and_only_over_those_with_work(root: Path) -> None:
    made = plan("vts5", "vts2", idle=("vts1", "vts3"))

    assert ((("vts2", "vts5"),), False) == strategies.plan_waves(made, Strategy(), project(root))


def test_pairs_and_clusters_are_kept_apart_also_by_their_parent_group(root: Path) -> None:
    strategy = Strategy(apart=("pair_?", "gfs"))

    assert ((("vts1", "vts3", "vts5"), ("vts2", "vts4", "vts6")), False) == strategies.plan_waves(
        EVERY, strategy, project(root)
    )


def test_a_canary_by_number_and_by_pattern(root: Path) -> None:
    ones = (Share(number=1), Share(percent=100.0))
    number = strategies.plan_waves(plan("vts3", "vts2"), Strategy(canary="1"), project(root))
    pattern = strategies.plan_waves(EVERY, Strategy(canary="berlin:!vts1", waves=ones), project(root))

    assert ((("vts2",), ("vts3",)), True) == number
    assert ((("vts3", "vts5"), ("vts1",), ("vts2", "vts4", "vts6")), True) == pattern


def test_a_canary_with_nothing_to_do_is_an_error(root: Path) -> None:
    with pytest.raises(Usage, match="no server of the canary `vts1` has anything to do") as caught:
        strategies.plan_waves(plan("vts2", idle=("vts1",)), Strategy(canary="vts1"), project(root))

    assert "servers with work: vts2; or write `canary: 1`, the first that has work" == caught.value.remedy


def test_a_canary_that_nobody_is_called_is_an_error(root: Path) -> None:
    with pytest.raises(Usage, match="the canary `vts1o` names no server") as caught:
        strategies.plan_waves(EVERY, Strategy(canary="vts1o"), project(root))

    assert "did you mean `vts1`?" == caught.value.remedy


def test_a_plan_without_work_has_no_waves(root: Path) -> None:
    made = strategies.plan_waves(plan(idle=("vts1",)), Strategy(canary="vts1"), project(root))

    assert ((), False) == made


def test_a_group_to_be_kept_apart_that_is_not_there_is_an_error(root: Path) -> None:
    with pytest.raises(Usage, match="no group of the inventory is called `pairs`") as caught:
        strategies.plan_waves(EVERY, Strategy(apart=("pairs",)), project(root))

    assert "did you mean `pair_b`?" == caught.value.remedy


def test_a_host_that_has_left_the_inventory_is_in_a_wave_too(root: Path) -> None:
    made = strategies.plan_waves(plan("vts9", "vts1"), Strategy(), project(root))

    assert ((("vts1", "vts9"),), False) == made
