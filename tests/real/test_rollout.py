"""Rollouts as people carry them out: twenty servers in waves, a pause, an approval, an abort, ^C, and a second rollout."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.real.fleet import NEW, Fleet
from tests.real.openssh import require_openssh

ALL = ("changed",) * 4


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


# ---- from the beginning to the end


def test_twenty_servers(tmp_path: Path) -> None:
    """The built-in strategy, with a shorter soak time and pairs that are kept apart; and its evidence."""
    fleet = Fleet.start(tmp_path, 20)
    fleet.fresh(tmp_path / "project")
    fleet.strategy(
        "canary",
        "canary: {hosts: 1, soak: 1s}\nwaves: [10%, 100%]\napart: ['pair_*']\ngates: {event_log: true}\n",
    )
    ended = fleet.start_rollout("canary", "--why", "CHG0012345").ended()
    report = fleet.run("rollout", "report", "--json-file", "it.json", "--html", "it.html")
    waves = [list(wave) for wave in fleet.rollout.waves]
    fleet.stop()

    assert (0, 0) == (ended.code, report.code), ended
    fleet.assert_ended("done", *["changed"] * 20)
    assert [1, 2, 9, 8] == [len(wave) for wave in waves]
    assert sorted(fleet.boxes) == sorted(host for wave in waves for host in wave)
    pairs = [{f"vts{n}", f"vts{n + 1}"} for n in range(1, 20, 2)]
    assert [] == [(pair, wave) for pair in pairs for wave in waves if pair <= set(wave)]
    spans = {host: _span(fleet, host) for host in fleet.boxes}
    assert [] == [pair for pair in pairs if _overlap(*(spans[host] for host in pair))]
    page = (fleet.project / "it.html").read_text()
    assert [] == [name for name in [*fleet.boxes, "CHG0012345"] if name not in page]


def _span(fleet: Fleet, host: str) -> tuple[float, float]:
    """When its change began and ended, by the controller's clock."""
    times = [
        event.body["time"]
        for event in fleet.events
        if event.host == host and event.action.startswith("host-")
    ]
    return min(times), max(times)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def test_what_is_told_while_it_goes_on(fleet: Fleet) -> None:
    """Lines for programs are the journal; the last document is what `status` shows; people read sentences."""
    fleet.strategy("nights", "waves: [1, 3]\n")
    plan = fleet.plan()
    shown = fleet.run("rollout", "start", plan, "--strategy", "nights", "--show")
    assert (0, []) == (shown.code, fleet.events)
    assert "wave 2: vts2, vts3, vts4" in shown.out
    with fleet.spawn("rollout", "start", plan, "--strategy", "nights", "-y", "--lines") as first:
        ended = first.ended()
        told = first.events

    assert (0, "") == (ended.code, ended.err)
    assert [(e.id, e.action, e.host or None) for e in fleet.events] == [
        (e["id"], e["action"], e["host"]) for e in told
    ]
    run = fleet.rollout.run
    follow = fleet.run("rollout", "status", run, "--follow")
    people = [line for line in follow.out.splitlines() if "vts" in line or "ate" in line or "Wave" in line]
    assert 0 == follow.code
    assert "Wave 1 of 2: vts1" in people
    assert [4, 2] == [
        sum(word in line for line in people) for word in ("changed  1 change", "Gate after wave")
    ]
    listed = fleet.run("rollout", "status", "--json").json
    one = fleet.run("rollout", "status", run[:12], "--json").json
    assert ("vtsconf/rollouts/1", "vtsconf/rollout/1") == (listed["format"], one["format"])
    assert {"run": run, "state": "done", "failures": 0} == {
        k: listed["rollouts"][0][k] for k in ("run", "state", "failures")
    }
    assert listed["rollouts"][0] == {key: one[key] for key in listed["rollouts"][0]}


# ---- from another terminal


def test_a_pause_finishes_what_is_in_flight_and_nothing_more(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [4]\n")
    fleet["vts1"].hold("restart")
    with fleet.start_rollout("nights", "-p", "1") as first:
        fleet["vts1"].until_at("restart")
        assert 0 == fleet.run("rollout", "pause", "--why", "alarm in the tape room", by="eve").code
        fleet["vts1"].let_go("restart")
        assert 9 == first.ended().code

    assert ["changed", "open", "open", "open"] == list(fleet.outcomes.values())
    shown = fleet.run("rollout", "status", fleet.rollout.run)
    assert 9 == shown.code
    assert "paused: alarm in the tape room" in shown.out
    assert "go on: vtsconf rollout resume" in shown.out
    assert 3 == fleet.run("rollout", "pause").code
    assert 0 == fleet.run("rollout", "resume").code
    fleet.assert_ended("done", *ALL)


@pytest.mark.parametrize("how", ["keep", "revert"])
def test_an_abort_finishes_what_is_in_flight_and_ends_it(fleet: Fleet, how: str) -> None:
    fleet.strategy("nights", "waves: [1, 3]\non_failure: revert\n")
    fleet["vts2"].hold("restart")
    with fleet.start_rollout("nights", "-p", "1") as first:
        fleet["vts2"].until_at("restart")
        with fleet.spawn("rollout", "abort", "-y", f"--{how}", "--why", "wrong night", by="eve") as second:
            first.until("abort-asked")
            fleet["vts2"].let_go("restart")
            codes = (first.ended().code, second.ended().code)

    came = "changed" if how == "keep" else "reverted"
    assert ((5, 5) if how == "keep" else (8, 8)) == codes
    fleet.assert_ended("aborted", came, came, "skipped", "skipped")
    assert fleet.rollout.stopped.startswith("aborted by eve@")
    assert fleet.rollout.stopped.endswith(": wrong night")


@pytest.mark.parametrize("how", ["keep", "revert"])
def test_an_abort_where_nobody_leads_it_any_more(fleet: Fleet, how: str) -> None:
    """What the dead controller had armed is kept, or taken back."""
    fleet.strategy("nights", "waves: [2, 2]\n")
    fleet["vts2"].hold("restart")
    with fleet.start_rollout("nights") as first:
        first.until("host-finished", "vts1")
        fleet["vts2"].until_at("restart")
        first.kill()
    fleet["vts2"].let_go("restart")

    ended = fleet.run("rollout", "abort", "-y", f"--{how}")
    came = "changed" if how == "keep" else "reverted"
    assert (5 if how == "keep" else 8) == ended.code
    fleet.assert_ended("aborted", came, came, "skipped", "skipped")


def test_a_second_controller_cannot_lead_it_too(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [4]\n")
    fleet["vts1"].hold("restart")
    with fleet.start_rollout("nights") as first:
        fleet["vts1"].until_at("restart")
        second = fleet.run("rollout", "resume")
        joined = fleet.run("rollout", "join")
        fleet["vts1"].let_go("restart")
        ended = first.ended()

    assert (7, 3, 0) == (second.code, joined.code, ended.code)
    assert f"process {first.pid} on" in second.err
    assert "postgresql://" in joined.err
    fleet.assert_ended("done", *ALL)


# ---- ^C


def test_interrupted_it_finishes_what_is_in_flight_and_says_how_to_go_on(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [4]\n")
    fleet["vts1"].hold("restart")
    plan = fleet.plan()
    with fleet.spawn("rollout", "start", plan, "--strategy", "nights", "-y", "-p", "1") as first:
        fleet["vts1"].until_at("restart")
        first.signal(signal.SIGINT)
        first.until_says("stopping")
        fleet["vts1"].let_go("restart")
        ended = first.ended()

    assert 9 == ended.code
    assert f"go on: vtsconf rollout resume {fleet.rollout.run}" in ended.out
    assert ["changed", "open", "open", "open"] == list(fleet.outcomes.values())
    assert fleet.rollout.paused.endswith("was stopped")
    assert 0 == fleet.run("rollout", "resume").code
    fleet.assert_ended("done", *ALL)


def test_interrupted_twice_it_leaves_at_once(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [4]\n")
    fleet["vts1"].hold("restart")
    with fleet.start_rollout("nights", "-p", "1") as first:
        fleet["vts1"].until_at("restart")
        first.signal(signal.SIGINT)
        first.until_says("stopping")
        first.signal(signal.SIGINT)
        assert 130 == first.ended().code
    fleet["vts1"].let_go("restart")

    assert 0 == fleet.run("rollout", "resume").code
    fleet.assert_ended("done", *ALL)
    assert [1, 1, 1, 1] == [len(box.runs("swapped")) for box in fleet]


@pytest.mark.parametrize("waits", ["soak: 1h", "approve: [each]"])
def test_interrupted_while_it_waits_it_leaves_at_once(fleet: Fleet, waits: str) -> None:
    fleet.strategy("nights", f"waves: [2]\n{waits}\n")
    with fleet.start_rollout("nights") as first:
        first.until_says("waiting: ")
        first.signal(signal.SIGINT)
        ended = first.ended()

    assert 9 == ended.code
    assert ["changed", "changed", "open", "open"] == list(fleet.outcomes.values())


# ---- a person, a clock


def test_an_approval_by_four_eyes(fleet: Fleet) -> None:
    fleet.strategy("nights", "canary: 1\napprove: [canary]\nfour_eyes: true\n")
    with fleet.start_rollout("nights", by="ops") as first:
        first.until_says("waiting: approval is asked for after the canary")
        assert ["changed", "open", "open", "open"] == list(fleet.outcomes.values())
        own = fleet.run("rollout", "approve", by="ops")
        other = fleet.run("rollout", "approve", "--why", "the canary sings", by="eve")
        ended = first.ended()

    assert (3, 0, 0) == (own.code, other.code, ended.code)
    assert "ops started rollout" in own.err
    assert "let somebody else approve it" in own.err
    fleet.assert_ended("done", *ALL)
    assert fleet.rollout.approved[2].startswith("eve@")


def test_where_nobody_waits_it_goes_on_after_the_approval(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [2]\napprove: [start]\n")
    assert 9 == fleet.start_rollout("nights", "--no-wait").ended().code
    assert [[]] * 4 == [box.journal for box in fleet]
    assert 0 == fleet.run("rollout", "approve").code
    assert 3 == fleet.run("rollout", "approve").code

    assert 0 == fleet.run("rollout", "resume", "--no-wait").code
    fleet.assert_ended("done", *ALL)


def test_a_closed_window_is_waited_for(fleet: Fleet) -> None:
    opens = datetime.now(UTC) + timedelta(hours=6)
    closes = opens + timedelta(hours=1)
    fleet.strategy("nights", f'window: {{from: "{opens:%H:%M}", to: "{closes:%H:%M}", timezone: UTC}}\n')
    with fleet.start_rollout("nights") as first:
        first.until_says(f"waiting: the window {opens:%H:%M}-{closes:%H:%M} UTC is closed")
        first.kill()

    assert 9 == fleet.run("rollout", "resume", "--no-wait").code
    assert [[]] * 4 == [box.journal for box in fleet]
    assert 5 == fleet.run("rollout", "abort", "-y").code
    fleet.assert_ended("aborted", *["skipped"] * 4)


# ---- two at once


def test_a_server_that_a_rollout_holds_is_left_alone_by_all_others(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [1]\napprove: [each]\n")
    assert 9 == fleet.start_rollout("nights", "--no-wait", by="ops").ended().code
    run = fleet.rollout.run
    plan = fleet.plan()
    refused = [
        fleet.run("rollout", "start", plan, "--strategy", "nights", "-y", by="eve"),
        fleet.run("apply", plan, "-y"),
        fleet.run("apply", "-y", "-l", "vts4"),
        fleet.run("rollback", "-y"),
    ]

    assert [7, 7, 7, 7] == [ended.code for ended in refused]
    assert [] == [ended for ended in refused if run not in ended.err or "of ops@" not in ended.err]
    assert 5 == fleet.run("rollout", "abort", "-y", "--keep", run).code
    fleet.assert_ended("aborted", "changed", "skipped", "skipped", "skipped")
    assert 0 == fleet.run("apply", "-y").code
    assert {NEW} == set(fleet.configs.values())


def test_a_rollout_that_cannot_be_led_from_here_is_not_begun(fleet: Fleet) -> None:
    """With a store in SQLite one process at a time does the work, on whichever servers."""
    fleet.strategy("nights", "waves: [2]\n")
    plan, other = fleet.plan("-l", "vts1,vts2", out="a.json"), fleet.plan("-l", "vts3,vts4", out="b.json")
    fleet["vts1"].hold("restart")
    with fleet.spawn("rollout", "start", plan, "--strategy", "nights", "-y") as first:
        fleet["vts1"].until_at("restart")
        second = fleet.run("rollout", "start", other, "--strategy", "nights", "-y")
        fleet["vts1"].let_go("restart")
        assert 0 == first.ended().code

    assert 7 == second.code
    assert "wait until it ends; for several at a time set `store` to postgresql://" in second.err
    assert [fleet.rollout.run] == sorted({event.run for event in fleet.events})
    assert set() == fleet.claimed()
