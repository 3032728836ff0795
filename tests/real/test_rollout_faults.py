"""Everything that can go wrong in a rollout, on real servers: each ends in one outcome, and none is changed twice."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.fleet import SERVICE, Fleet
from tests.real.openssh import require_openssh

CHECK = f"checks: {{ready: {{run: [{SERVICE}, ready], unsure: [75]}}}}"
READY = f"gates: {{{CHECK}}}\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require_openssh()
    fleet = Fleet.start(tmp_path_factory.mktemp("fleet"), 4)
    yield fleet
    fleet.stop()


@pytest.fixture
def fleet(servers: Fleet, tmp_path: Path) -> Fleet:
    """Four servers as in the beginning."""
    servers.fresh(tmp_path / "project")
    return servers


# ---- the servers say no


def test_when_the_canary_fails_nothing_else_is_touched(fleet: Fleet) -> None:
    fleet.strategy("nights", "canary: 1\nmax_failures: unlimited\n")
    fleet["vts1"].put("fails")
    ended = fleet.start_rollout("nights").ended()

    assert 8 == ended.code
    fleet.assert_ended("stopped", "reverted", "skipped", "skipped", "skipped")
    assert "the restart of tapes failed" in fleet.reason("vts1")
    assert "never tried: gate confirmed after wave 1: the canary failed" in fleet.reason("vts4")
    assert ["new", "old"] == fleet["vts1"].restarts


@pytest.mark.parametrize(("budget", "wave"), [("0", 2), ("1", 3), ("25%", 3), ("50%", 4)])
def test_a_budget_that_is_spent_in_the_middle(fleet: Fleet, budget: str, wave: int) -> None:
    """The second server fails, the third is unreachable, which counts, and the fourth fails."""
    fleet.strategy("nights", f"waves: [1]\nmax_failures: {budget}\ngates: false\n")
    fleet["vts2"].put("fails")
    fleet["vts4"].put("fails")
    plan = fleet.plan()
    fleet["vts3"].server.kill()
    ended = fleet.run("rollout", "start", plan, "--strategy", "nights", "-y", "--json")
    fleet["vts3"].server.restart()

    assert 8 == ended.code
    tried = ("changed", "reverted", "unreachable", "reverted")[:wave]
    fleet.assert_ended("stopped", *tried, *["skipped"] * (4 - wave))
    assert f"{wave - 1} of 4 servers failed" in ended.json["why"]
    assert list(fleet.outcomes.items()) == [(h["host"], h["outcome"]) for h in ended.json["hosts"]]
    assert all(h["reason"] for h in ended.json["hosts"] if h["outcome"] != "changed")


@pytest.mark.parametrize("on_failure", ["keep", "revert"])
@pytest.mark.parametrize("gate", ["checks/ready", "event-log"])
def test_a_gate_that_fails(fleet: Fleet, gate: str, on_failure: str) -> None:
    fleet.strategy("nights", f"waves: [2]\non_failure: {on_failure}\ngates: {{event_log: true, {CHECK}}}\n")
    fleet["vts2"].put(*(("ready", "1") if gate == "checks/ready" else ("complains",)))
    ended = fleet.start_rollout("nights").ended()

    came = "reverted" if on_failure == "revert" else "changed"
    assert (8 if on_failure == "revert" else 5) == ended.code
    fleet.assert_ended("stopped", came, came, "skipped", "skipped")
    assert f"gate {gate} after wave 1 on vts2" in fleet.rollout.stopped
    if on_failure == "revert":
        assert f"taken back by run {fleet.rollout.run}-back" in fleet.reason("vts1")
        assert ["new", "old"] == fleet["vts1"].restarts
        runs = fleet.run("history", "--json").json["runs"]
        assert {fleet.rollout.run: "", f"{fleet.rollout.run}-back": fleet.rollout.run} == {
            run["run"]: run["reverses"] for run in runs
        }


def test_a_gate_that_is_unsure_pauses_until_a_person_says_go_on(fleet: Fleet) -> None:
    fleet.strategy("nights", f"waves: [1, 3]\n{READY}")
    fleet["vts1"].put("ready", "75")
    paused = fleet.start_rollout("nights").ended()

    assert 9 == paused.code
    assert ["changed", "open", "open", "open"] == list(fleet.outcomes.values())
    assert "inconclusive: gate checks/ready after wave 1 on vts1" in fleet.rollout.paused
    assert (9, ["inconclusive"] * 2) == (fleet.run("rollout", "resume").code, verdicts(fleet))
    fleet["vts1"].put("ready", "0")
    assert 0 == fleet.run("rollout", "resume").code
    fleet.assert_ended("done", *["changed"] * 4)
    assert ["inconclusive", "inconclusive", "pass", "pass"] == verdicts(fleet)


def verdicts(fleet: Fleet) -> list[str]:
    """Of all gates that were asked, in their order."""
    return [event.body["verdict"] for event in fleet.events if event.action == "gate-asked"]


# ---- the controller is killed, and `resume` finishes


def resumed(fleet: Fleet) -> None:
    ended = fleet.run("rollout", "resume")

    assert 0 == ended.code, ended


def tries(fleet: Fleet) -> list[int]:
    """How often something was put in place on each server."""
    return [len(box.runs("swapped")) for box in fleet]


def test_killed_in_the_canary(fleet: Fleet) -> None:
    """It was armed, and is kept: verified and confirmed by whoever comes."""
    fleet.strategy("nights", "canary: 1\n")
    fleet["vts1"].hold("restart")
    with fleet.start_rollout("nights") as first:
        fleet["vts1"].until_at("restart")
        first.kill()
    fleet["vts1"].let_go("restart")

    resumed(fleet)
    fleet.assert_ended("done", *["changed"] * 4)
    assert [1, 1, 1, 1] == tries(fleet)


def test_killed_in_a_wave(fleet: Fleet) -> None:
    """One had ended; two were armed, of which one took itself back before anybody came; one had not begun."""
    fleet.strategy("nights", "waves: [4]\n")
    fleet.impatient("vts3")
    for name in ("vts2", "vts3"):
        fleet[name].hold("restart")
    with fleet.start_rollout("nights", "-p", "3") as first:
        first.until("host-finished", "vts1")
        fleet["vts2"].until_at("restart")
        fleet["vts3"].until_at("restart")
        first.until("host-finished", "vts4")
        first.kill()
    for name in ("vts2", "vts3"):
        fleet[name].let_go("restart")
    fleet["vts3"].until("reverted")

    resumed(fleet)
    fleet.assert_ended("done", *["changed"] * 4)
    assert [1, 1, 2, 1] == tries(fleet)
    run = fleet.rollout.run
    assert ([run], [run, f"{run}-2"]) == (fleet["vts2"].runs("armed"), fleet["vts3"].runs("armed"))


def test_killed_in_the_gate(fleet: Fleet) -> None:
    fleet.strategy("nights", f"waves: [2]\n{READY}")
    fleet["vts1"].hold("ready")
    with fleet.start_rollout("nights") as first:
        fleet["vts1"].until_at("ready")
        first.kill()
    fleet["vts1"].let_go("ready")

    resumed(fleet)
    fleet.assert_ended("done", *["changed"] * 4)
    assert [1, 1, 1, 1] == tries(fleet)
    assert ["pass", "pass"] == verdicts(fleet)


def test_killed_while_it_confirms(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [2]\n")
    fleet["vts1"].hold("health")
    with fleet.start_rollout("nights") as first:
        fleet["vts1"].until_at("health")
        first.until("host-finished", "vts2")
        first.kill()
    fleet["vts1"].let_go("health")

    resumed(fleet)
    fleet.assert_ended("done", *["changed"] * 4)
    assert [1, 1, 1, 1] == tries(fleet)


def test_killed_while_it_soaks(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [2]\nsoak: 2s\n")
    with fleet.start_rollout("nights") as first:
        first.until("gate-asked", ask="first")
        first.kill()

    resumed(fleet)
    fleet.assert_ended("done", *["changed"] * 4)
    assert [1, 1, 1, 1] == tries(fleet)
    asked = [
        (e.body["wave"], e.body["ask"], e.body["time"]) for e in fleet.events if e.action == "gate-asked"
    ]
    assert [(1, "first"), (1, "last"), (2, "first"), (2, "last")] == [(wave, ask) for wave, ask, _ in asked]
    assert [True, True] == [asked[n + 1][2] - asked[n][2] >= 2 for n in (0, 2)]


def test_killed_while_it_waits_for_an_approval(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [2]\napprove: [each]\n")
    with fleet.start_rollout("nights") as first:
        first.until_says("waiting: approval is asked for before wave 2")
        first.kill()
    assert 0 == fleet.run("rollout", "approve").code

    resumed(fleet)
    fleet.assert_ended("done", *["changed"] * 4)
    assert [1, 1, 1, 1] == tries(fleet)


def test_killed_while_it_takes_back(fleet: Fleet) -> None:
    fleet.strategy("nights", f"waves: [2]\non_failure: revert\n{READY}")
    fleet["vts2"].put("ready", "1")
    fleet["vts1"].hold("ready")
    with fleet.start_rollout("nights") as first:
        fleet["vts1"].until_at("ready")
        fleet["vts2"].hold("restart")
        fleet["vts1"].let_go("ready")
        fleet["vts2"].until_at("restart")
        first.kill()
    fleet["vts2"].let_go("restart")

    assert 8 == fleet.run("rollout", "resume").code
    fleet.assert_ended("stopped", "reverted", "reverted", "skipped", "skipped")
    assert [2, 2, 0, 0] == tries(fleet)


# ---- a server is lost


def test_a_server_that_hangs_for_ever(fleet: Fleet) -> None:
    """The others go on within the budget. Once it can it takes itself back, and the next gate learns of that."""
    fleet.strategy("nights", "waves: [3, 1]\nmax_failures: 1\n")
    fleet.impatient("vts2")
    fleet["vts2"].hold("restart")
    fleet["vts4"].hold("restart")
    with fleet.start_rollout("nights") as first:
        fleet["vts2"].until_at("restart")
        fleet["vts2"].server.freeze()
        lost = first.until("host-finished", "vts2")
        gate = first.until("gate-asked", wave=1)
        fleet["vts4"].until_at("restart")
        fleet["vts2"].server.thaw()
        fleet["vts2"].let_go("restart")
        fleet["vts2"].until("reverted")
        fleet["vts4"].let_go("restart")
        ended = first.ended()

    assert "unreachable" == lost["outcome"]
    assert "in doubt: armed change: vts2: nothing heard from the command for 2 s" == lost["reason"]
    assert "1 failed, within the budget (1 in all): vts2 unreachable" in gate["answers"][0]["reason"]
    assert 8 == ended.code
    fleet.assert_ended("done", "changed", "reverted", "changed", "changed")
    assert "it was lost in the middle, and took itself back" == fleet.reason("vts2")


def test_a_canary_that_hangs_for_ever(fleet: Fleet) -> None:
    """Nobody knows whether it is well: a person has to look, and nothing more is changed before it is known."""
    fleet.strategy("nights", "canary: 1\nmax_failures: unlimited\n")
    fleet.impatient("vts1")
    fleet["vts1"].hold("restart")
    with fleet.start_rollout("nights") as first:
        fleet["vts1"].until_at("restart")
        fleet["vts1"].server.freeze()
        assert 4 == first.ended().code
    assert ["unreachable", "open", "open", "open"] == list(fleet.outcomes.values())
    assert "how 1 of 1 server ended is not known" in fleet.rollout.paused
    fleet["vts1"].server.thaw()
    fleet["vts1"].let_go("restart")
    fleet["vts1"].until("reverted")

    assert 8 == fleet.run("rollout", "resume").code
    fleet.assert_ended("stopped", "reverted", "skipped", "skipped", "skipped")
    assert "the canary failed" in fleet.rollout.stopped


def test_a_server_that_comes_back_half_way(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [1, 2, 1]\nmax_failures: 1\n")
    for name in ("vts2", "vts3"):
        fleet[name].hold("restart")
    with fleet.start_rollout("nights") as first:
        fleet["vts2"].until_at("restart")
        fleet["vts3"].until_at("restart")
        fleet["vts2"].server.kill()
        first.until("host-finished", "vts2", outcome="unreachable")
        fleet["vts2"].let_go("restart")
        fleet["vts2"].server.restart()
        fleet["vts3"].let_go("restart")
        ended = first.ended()

    assert 8 == ended.code
    fleet.assert_ended("done", "changed", "reverted", "changed", "changed")
    assert "it was lost in the middle, and took itself back" == fleet.reason("vts2")


# ---- at any time


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require_openssh()
    fleet = Fleet.start(tmp_path_factory.mktemp("eight"), 8)
    yield fleet
    fleet.stop()


@pytest.mark.soak
@pytest.mark.parametrize("number", range(30))
def test_killed_at_any_time(eight: Fleet, tmp_path: Path, number: int) -> None:
    """Again and again, at random moments, a server now and then with it; in the end each was kept exactly once."""
    chance = random.Random(f"{os.environ.get('VTSCONF_SEED', '1')}/{number}")
    eight.fresh(tmp_path / "project")
    eight.strategy("nights", "canary: 1\nwaves: [3, 4]\nmax_failures: unlimited\ngates: {event_log: true}\n")
    words = ["rollout", "start", eight.plan(), "--strategy", "nights", "-y", "--confirm-within", "3s"]
    for _ in range(chance.randint(1, 3)):
        with eight.spawn(*words) as controller:
            controller.is_over_within(chance.uniform(0.8, 3.5))
        if chance.random() < 0.3:
            box = chance.choice(list(eight))
            box.server.kill()
            box.server.restart()
        if eight.has_begun:
            words = ["rollout", "resume", eight.rollout.run]
    while not (eight.has_begun and eight.rollout.is_finished):
        eight.run(*words)

    assert "done" == eight.rollout.state or "the canary failed" in eight.rollout.stopped
    eight.assert_ended(eight.rollout.state, *eight.outcomes.values())
    for box in eight:
        assert len(box.runs("armed")) == len(box.runs("confirmed")) + len(box.runs("reverted")), box.journal
