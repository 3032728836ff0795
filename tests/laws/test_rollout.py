"""Rollouts in memory: the waves, the budget, keep or revert; and the law: cut the journal anywhere, the end is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws.fleet import Fleet, Killed
from vtsconf.core.errors import Unreachable
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.rollout.strategy import Gates, Share, Strategy
from vtsconf.core.runs import Event
from vtsconf.core.window import Window
from vtsconf.engine.rollout import control
from vtsconf.engine.rollout.driver import drive
from vtsconf.engine.rollout.lead import advance
from vtsconf.engine.rollout.wave import learn_all
from vtsconf.transport.server import Confirmed

THREE = (("a",), ("b", "c"), ("d", "e", "f"))
NONE = Share(number=0)


def test_every_server_of_every_wave_is_changed_once(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE)
    fleet.begin()

    assert "ended" == fleet.go().kind
    assert {"changed"} == set(fleet.outcomes.values())
    assert {b"new"} == set(fleet.bytes.values())
    assert ("done", [1, 2, 3]) == (fleet.rollout.state, sorted(fleet.rollout.begun))


def test_a_spent_budget_stops_before_the_next_wave_and_says_so_of_each(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(max_failures=NONE))
    fleet.begin()
    fleet.break_("b")

    fleet.go()

    assert {
        "a": "changed",
        "b": "stale",
        "c": "skipped",
        "d": "skipped",
        "e": "skipped",
        "f": "skipped",
    } == fleet.outcomes
    assert ("stopped", "1 of 6 servers failed; 0 are tolerated") == (
        fleet.rollout.state,
        fleet.rollout.stopped,
    )
    assert "never tried: 1 of 6 servers failed" in fleet.rollout.seen.hosts["f"]["reason"]
    assert b"new" == fleet.bytes["a"]


def test_within_the_budget_it_goes_on(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(max_failures=Share(percent=17)))
    fleet.begin()
    fleet.break_("b")

    fleet.go()

    assert ["changed", "stale", "changed", "changed", "changed", "changed"] == list(fleet.outcomes.values())


def test_within_the_budget_a_wave_of_one_may_fail_with_gates_on(tmp_path: Path) -> None:
    strategy = Strategy(max_failures=Share(number=1), gates=Gates())
    fleet = Fleet(folder=tmp_path, waves=(("a",), ("b",), ("c",)), strategy=strategy)
    fleet.begin()
    fleet.break_("b")

    fleet.go()

    assert ["changed", "stale", "changed"] == list(fleet.outcomes.values())
    assert "1 failed, within the budget (1 in all): b stale" in fleet.rollout.asked[2][0].answers[0].reason


def test_a_server_that_could_not_be_planned_counts(tmp_path: Path) -> None:
    lost = HostPlan(host="x", outcome=PlanOutcome.UNREACHABLE, reason="no route")
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(max_failures=NONE), idle=[lost])
    fleet.begin()

    fleet.go()

    assert {"unreachable", "skipped"} == set(fleet.outcomes.values())
    assert {b"old"} == set(fleet.bytes.values())


def test_on_failure_revert_takes_back_what_was_changed(tmp_path: Path) -> None:
    strategy = Strategy(max_failures=NONE, on_failure="revert")
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=strategy)
    fleet.begin()
    fleet.break_("d")

    fleet.go()

    assert ["reverted"] * 3 + ["stale", "skipped", "skipped"] == list(fleet.outcomes.values())
    assert {"a": b"old", "b": b"old", "c": b"old", "d": b"by hand", "e": b"old", "f": b"old"} == fleet.bytes
    assert ["r1", "r1-back"] == [run.run for run in fleet.journal.runs()]


def test_what_was_changed_since_is_not_taken_back_and_says_why(tmp_path: Path) -> None:
    strategy = Strategy(max_failures=NONE, on_failure="revert")
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=strategy)
    fleet.begin()
    fleet.break_("d")

    def spoil(host: str, event: str) -> None:
        if (host, event) == ("c", "confirming"):
            fleet.break_("a")

    fleet.go(on_event=spoil)

    assert ("changed", "reverted", "reverted") == tuple(fleet.outcomes[name] for name in "abc")
    assert "it stays: taking it back came to stale" in fleet.rollout.seen.hosts["a"]["reason"]


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("on_failure", ["keep", "revert"])
@pytest.mark.parametrize("broken", ["", "e"])
def test_killed_at_any_entry_the_end_is_the_same(
    tmp_path: Path, broken: str, on_failure: str, after: bool
) -> None:
    """Promises 3 and 8 over a fleet; the controller is killed at each entry in turn, and another one goes on."""
    strategy = Strategy(max_failures=NONE, on_failure=on_failure)
    ends = []
    for entry in range(1, 60):
        folder = tmp_path / str(entry)
        folder.mkdir()
        fleet = Fleet(folder=folder, waves=THREE, strategy=strategy)
        fleet.begin()
        if broken:
            fleet.break_(broken)
        killed = fleet.die_at(entry, after=after)
        fleet.go()
        ends.append((dict(fleet.outcomes), dict(fleet.bytes), fleet.rollout.state))
        if not killed:
            break

    assert len(ends) > 15
    assert [ends[-1]] * len(ends) == ends
    finished = [e.host for e in fleet.journal.events("r1") if e.action == "host-finished"]
    assert sorted(finished) == sorted(set(finished))


@pytest.mark.parametrize("on_failure", ["keep", "revert"])
def test_killed_at_any_step_on_a_server_the_end_is_the_same(tmp_path: Path, on_failure: str) -> None:
    """What was armed and not confirmed is verified, confirmed and counted once; it is not changed again."""
    ends = []
    for moment in range(1, 60):
        folder = tmp_path / str(moment)
        folder.mkdir()
        fleet = Fleet(folder=folder, waves=THREE, strategy=Strategy(max_failures=NONE, on_failure=on_failure))
        fleet.begin()
        fleet.break_("e")
        killed = fleet.die_in(moment)
        fleet.go()
        ends.append((dict(fleet.outcomes), dict(fleet.bytes), fleet.rollout.state))
        if not killed:
            break

    assert len(ends) > 10
    assert [ends[-1]] * len(ends) == ends


def test_a_pause_lets_nothing_more_begin_and_resume_goes_on(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE)
    fleet.begin()
    desk = fleet.desk()
    control.pause(desk.ledger, "eve@there", "lunch")

    assert ("paused", "lunch") == (fleet.go().kind, fleet.go().why)
    assert {b"old"} == set(fleet.bytes.values())
    control.resume(desk.ledger, "eve@there", "")
    assert "ended" == fleet.go().kind


def test_a_wave_goes_on_after_its_window_but_not_after_a_pause(tmp_path: Path) -> None:
    """It opens at 00:00 for an hour; in the middle of the second wave somebody pauses."""
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(window=Window(start=0, end=60)))
    fleet.clock = 600
    fleet.begin()
    ledger = fleet.desk().ledger

    def pause(host: str, event: str) -> None:
        if (host, event) == ("b", "confirming"):
            fleet.clock = 7200
            control.pause(ledger, "eve@there", "lunch")

    assert "paused" == fleet.go(on_event=pause).kind
    assert ("changed", "") == (fleet.outcomes["b"], fleet.outcomes["c"])
    control.resume(ledger, "eve@there", "")
    halt = fleet.go()
    assert ("clock", 86400, "the window 00:00-01:00 UTC is closed") == (halt.kind, halt.until, halt.why)
    assert b"old" == fleet.bytes["c"]

    fleet.clock = 86400

    assert "ended" == fleet.go().kind
    assert {"changed"} == set(fleet.outcomes.values())


def test_a_wave_that_has_begun_outlasts_its_window(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=(("a", "b"),), strategy=Strategy(window=Window(start=0, end=60)))
    fleet.clock = 600
    fleet.begin()
    assert fleet.die_at(3, after=True)
    assert 1 in fleet.rollout.begun
    fleet.clock = 7200

    assert "ended" == fleet.go().kind
    assert {"changed"} == set(fleet.outcomes.values())


@pytest.mark.parametrize("revert", [True, False, None])
def test_an_abort_ends_it_with_or_without_taking_back(tmp_path: Path, revert: bool | None) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(approve=("each",)))
    fleet.begin()
    assert ("approval", 2) == (fleet.go().kind, fleet.go().wave)
    control.abort(fleet.desk().ledger, "eve@there", "wrong night", revert=revert)

    fleet.go()

    assert (b"old" if revert else b"new") == fleet.bytes["a"]
    assert ["reverted" if revert else "changed"] + ["skipped"] * 5 == list(fleet.outcomes.values())
    assert ("aborted", "aborted by eve@there: wrong night") == (fleet.rollout.state, fleet.rollout.stopped)


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("first", [True, False, None])
@pytest.mark.parametrize("then", [True, False, None])
def test_an_abort_the_other_way_is_told_that_the_first_counts(
    tmp_path: Path, first: bool | None, then: bool | None, stops: bool
) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(approve=("each",)))
    fleet.begin()
    fleet.go()
    ledger = fleet.desk().ledger
    control.abort(ledger, "eve@there", "wrong night", revert=first)
    if stops:
        ledger.write(ledger.event("stopped", why="by eve", cause="abort", revert=bool(first)))

    if then in (None, bool(first)):
        control.abort(ledger, "bob@here", "", revert=then)
    else:
        with pytest.raises(control.Refused, match=r"is ending already, and what was changed.*eve") as refused:
            control.abort(ledger, "bob@here", "", revert=then)
        assert bool(first) is not ("vtsconf rollback r1" in refused.value.remedy)
    assert 1 == [event.action for event in fleet.journal.events("r1")].count("abort-asked")


def test_one_that_has_ended_names_the_rollback(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE)
    fleet.begin()
    fleet.go()

    with pytest.raises(control.Refused) as refused:
        control.abort(fleet.desk().ledger, "eve@there", "", revert=True)
    assert "`vtsconf rollback r1`" in refused.value.remedy


def test_a_leader_whose_leg_was_resumed_meanwhile_does_nothing(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE)
    fleet.begin()
    desk = fleet.desk()
    control.pause(desk.ledger, "eve@there", "lunch")
    control.resume(desk.ledger, "eve@there", "")

    assert ("stopped", True) == (advance(desk, "r1#1")["kind"], {b"old"} == set(fleet.bytes.values()))
    assert "ended" == advance(desk, "r1#2")["kind"]


def test_approval_is_needed_once_for_each_wave_and_by_another_person(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(approve=("start",), four_eyes=True))
    fleet.begin()
    ledger = fleet.desk().ledger

    assert "approval" == fleet.go().kind
    with pytest.raises(control.Refused, match="asks for a second person"):
        control.approve(ledger, "ops@elsewhere", "")
    assert 1 == control.approve(ledger, "eve@there", "fine")
    assert "ended" == fleet.go().kind


def test_soak_time_is_waited_for_and_the_gate_asked_again(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(soak=600, gates=Gates()))
    fleet.begin()

    first = fleet.go()
    assert ("clock", 1600) == (first.kind, first.until)
    fleet.clock = 1599
    assert "clock" == fleet.go().kind
    fleet.clock = 1600
    assert ("clock", 2200) == (fleet.go().kind, fleet.go().until)
    assert ["first", "last"] == [asked.ask for asked in fleet.rollout.asked[1]]


def test_told_to_stop_while_it_takes_back_it_leaves_the_rest_to_who_goes_on(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(max_failures=NONE, on_failure="revert"))
    fleet.begin()
    fleet.break_("d")
    desk = fleet.desk()
    write = desk.ledger.write

    def stopping(*events: Event) -> None:
        write(*events)
        if any(event.action == "stopped" for event in events):
            desk.watch.stop.set()

    desk.ledger.write = stopping

    assert "stopped" == drive(desk).kind
    assert b"new" == fleet.bytes["a"]
    assert "ended" == fleet.go().kind
    assert ["reverted"] * 3 == [fleet.outcomes[name] for name in "abc"]


def lose_the_answer(fleet: Fleet, name: str) -> None:
    """The next change there is kept, and nobody hears of it: the line is cut."""
    server = fleet.way.servers[name]
    confirm = server.confirm

    def keep(*words: str) -> Confirmed:
        confirm(*words)
        server.confirm = confirm  # type: ignore[method-assign]
        fleet.way.lost |= {name}
        raise Unreachable("the line was cut", stage="tcp")

    server.confirm = keep  # type: ignore[method-assign]


def test_what_was_taken_back_unheard_does_not_stay(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(max_failures=NONE, on_failure="revert"))
    fleet.begin()
    fleet.break_("d")

    moments: list[tuple[str, str]] = []

    def lose(host: str, event: str) -> None:
        moments.append((host, event))
        if moments.count(("c", "confirming")) == 2:
            lose_the_answer(fleet, "c")
        if moments.count(("a", "confirming")) == 2:
            fleet.way.lost.clear()

    fleet.go(on_event=lose)

    assert ["reverted"] * 3 == [fleet.outcomes[name] for name in "abc"]
    assert [b"old"] * 3 == [fleet.bytes[name] for name in "abc"]


def test_one_that_proves_to_be_changed_after_the_taking_back_began_is_taken_back_too(tmp_path: Path) -> None:
    """It kept the change, its answer was lost, and the controller died before it could ask."""
    fleet = Fleet(folder=tmp_path, waves=THREE, strategy=Strategy(max_failures=NONE, on_failure="revert"))
    fleet.begin()
    lose_the_answer(fleet, "b")
    fleet.journal.dies_with = "r1-back"
    with pytest.raises(Killed):
        fleet.go()
    fleet.journal.dead, fleet.journal.dies_with = False, ""
    fleet.way.lost.clear()
    learn_all(list("abcdef"), fleet.desk())

    assert "ended" == fleet.go().kind
    assert ["reverted", "reverted", "skipped"] == [fleet.outcomes[name] for name in "abc"]
    assert [b"old"] * 3 == [fleet.bytes[name] for name in "abc"]
    assert ["r1", "r1-back", "r1-back2"] == [run.run for run in fleet.journal.runs()]


def test_a_controller_that_died_before_it_let_go_holds_nothing(tmp_path: Path) -> None:
    for entry in range(1, 60):
        (tmp_path / str(entry)).mkdir()
        fleet = Fleet(folder=tmp_path / str(entry), waves=THREE)
        fleet.begin()
        killed = fleet.die_at(entry, after=True)
        if fleet.rollout.is_finished:
            break

    assert killed
    assert {} == fleet.journal.claims("abcdef")
    fleet.journal.claim("r2", "abcdef", "eve@there", 1)
    assert {"r2"} == {claim.run for claim in fleet.journal.claims("abcdef").values()}


def test_two_who_end_the_same_pause_begin_one_leg(tmp_path: Path) -> None:
    fleet = Fleet(folder=tmp_path, waves=THREE)
    fleet.begin()
    ledger = fleet.desk().ledger
    control.pause(ledger, "eve@there", "lunch")
    ledger.write(ledger.event("resumed", by="eve@there"), ledger.event("resumed", by="bob@here"))

    assert 2 == ledger.read().legs
