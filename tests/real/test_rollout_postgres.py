"""Rollouts with a store in PostgreSQL: several controllers, one of which dies; a database that dies and comes back."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.fleet import Controller, Fleet, wait_until
from tests.real.openssh import require_openssh
from tests.real.postgres import Postgres

NAMES = tuple(f"vts{number}" for number in range(1, 7))
ALL = ("changed",) * 6


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require_openssh()
    fleet = Fleet.start(tmp_path_factory.mktemp("fleet"), 6)
    yield fleet
    fleet.stop()


@pytest.fixture
def fleet(servers: Fleet, tmp_path: Path, postgres: Postgres) -> Fleet:
    """Six servers as in the beginning, and an empty database."""
    servers.fresh(tmp_path / "project", store=postgres.fresh())
    return servers


@contextmanager
def two_in_a_wave(fleet: Fleet) -> Iterator[tuple[Controller, Controller]]:
    """Ops leads a wave of six, eve has joined; each has two servers in the middle of their restart. Ann approved."""
    fleet.strategy("nights", "waves: [6]\napprove: [start]\n")
    for box in fleet:
        box.hold("restart")
    with fleet.start_rollout("nights", "-p", "2", by="ops") as leader:
        leader.until_says("waiting: approval")
        with fleet.spawn("rollout", "join", "-p", "2", "--lines", by="eve") as joiner:
            joiner.until_says("joined rollout")
            assert 0 == fleet.run("rollout", "approve", by="ann").code
            wait_until(lambda: len(held(fleet)) == 4, lambda: (held(fleet), begun(fleet)))
            yield leader, joiner


def held(fleet: Fleet) -> list[str]:
    return [box.name for box in fleet if box.is_at("restart")]


def begun(fleet: Fleet) -> dict[str, set[str]]:
    """Which servers each person's controller began."""
    found: dict[str, set[str]] = {}
    for event in fleet.events:
        if event.action == "host-started":
            found.setdefault(event.body["by"].partition("@")[0], set()).add(event.host)
    return found


def let_all_go(fleet: Fleet) -> None:
    for box in fleet:
        box.let_go("restart")


def assert_each_was_changed_once(fleet: Fleet) -> None:
    fleet.assert_ended("done", *ALL)
    assert [[fleet.rollout.run]] * 6 == [box.runs("armed") for box in fleet]


# ---- several controllers


def test_two_controllers_share_a_wave(fleet: Fleet) -> None:
    with two_in_a_wave(fleet) as (leader, joiner):
        shared = begun(fleet)
        let_all_go(fleet)
        codes = leader.ended().code, joiner.ended().code

    assert {"ops": 2, "eve": 2} == {who: len(hosts) for who, hosts in shared.items()}
    assert (0, 0) == codes
    assert_each_was_changed_once(fleet)


@pytest.mark.parametrize("dies", ["leader", "joiner"])
def test_one_of_two_dies_in_the_middle(fleet: Fleet, dies: str) -> None:
    """The other one keeps what was armed, and does the rest."""
    with two_in_a_wave(fleet) as (leader, joiner):
        dead, other = (leader, joiner) if dies == "leader" else (joiner, leader)
        dead.kill()
        let_all_go(fleet)
        ended = other.ended()

    assert 0 == ended.code
    assert_each_was_changed_once(fleet)


def test_a_joiner_is_told_to_leave(fleet: Fleet) -> None:
    """What it has begun is finished, and the leader does the rest."""
    with two_in_a_wave(fleet) as (leader, joiner):
        mine = begun(fleet)["eve"]
        joiner.signal(signal.SIGINT)
        joiner.until_says("stopping")
        for name in mine:
            fleet[name].let_go("restart")
        left = joiner.ended()
        let_all_go(fleet)
        ended = leader.ended()

    assert (9, 0) == (left.code, ended.code)
    assert_each_was_changed_once(fleet)


@pytest.mark.parametrize("word", ["pause", "abort"])
def test_a_word_from_a_third_controller(fleet: Fleet, word: str) -> None:
    """Both finish what they have begun."""
    with two_in_a_wave(fleet) as (leader, joiner):
        four = held(fleet)
        words = ["abort", "-y", "--keep"] if word == "abort" else ["pause"]
        with fleet.spawn("rollout", *words, "--why", "alarm", by="ann") as third:
            leader.until("abort-asked" if word == "abort" else "paused")
            let_all_go(fleet)
            codes = leader.ended().code, joiner.ended().code, third.ended().code

    assert ((9, 9, 0) if word == "pause" else (5, 5, 5)) == codes
    if word == "pause":
        assert {name: "changed" if name in four else "open" for name in NAMES} == fleet.outcomes
        assert 0 == fleet.run("rollout", "resume", by="eve").code
        assert_each_was_changed_once(fleet)
    else:
        fleet.assert_ended("aborted", *["changed" if name in four else "skipped" for name in NAMES])


# ---- the database


def test_the_database_dies_in_the_middle_of_a_wave(fleet: Fleet, postgres: Postgres) -> None:
    with two_in_a_wave(fleet) as (leader, joiner):
        postgres.kill()
        let_all_go(fleet)
        for box in fleet:
            if box.runs("armed"):
                box.until("confirmed")
        postgres.start()
        codes = leader.ended().code, joiner.ended().code

    assert (0, 0) == codes
    assert_each_was_changed_once(fleet)


def test_a_controller_dies_and_the_database_is_restarted(fleet: Fleet, postgres: Postgres) -> None:
    """Nobody is left; whoever comes finishes it."""
    with two_in_a_wave(fleet) as (leader, joiner):
        leader.kill()
        joiner.kill()
        postgres.restart()
    let_all_go(fleet)

    assert 0 == fleet.run("rollout", "resume", by="ann").code
    assert_each_was_changed_once(fleet)


# ---- who leads


def test_whoever_has_joined_goes_on_where_the_leader_died_waiting(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [2, 4]\napprove: [each]\n")
    with fleet.start_rollout("nights", by="ops") as leader:
        leader.until_says("waiting: approval")
        with fleet.spawn("rollout", "join", "--lines", by="eve") as joiner:
            joiner.until_says("joined rollout")
            leader.kill()
            assert 0 == fleet.run("rollout", "approve", by="ann").code
            assert 0 == joiner.ended().code

    assert_each_was_changed_once(fleet)


def test_resume_beside_a_leader_who_lives_only_helps(fleet: Fleet) -> None:
    with two_in_a_wave(fleet) as (leader, joiner):
        joiner.kill()
        with fleet.spawn("rollout", "resume", "--lines", "-p", "4", by="ann") as third:
            third.until("host-started", by=f"ann@{socket.gethostname()}")
            let_all_go(fleet)
            codes = leader.ended().code, third.ended().code

    assert (0, 0) == codes
    assert_each_was_changed_once(fleet)
    assert 1 == sum(event.action == "gate-asked" for event in fleet.events)


def test_two_rollouts_at_once_on_servers_of_their_own(fleet: Fleet) -> None:
    fleet.strategy("nights", "waves: [1, 2]\n")
    fleet["vts1"].hold("restart")
    plans = [
        fleet.plan("-l", "vts1,vts2,vts3", out="a.json"),
        fleet.plan("-l", "vts4,vts5,vts6", out="b.json"),
    ]
    with fleet.spawn("rollout", "start", plans[0], "--strategy", "nights", "-y", by="ops") as first:
        fleet["vts1"].until_at("restart")
        second = fleet.run("rollout", "start", plans[1], "--strategy", "nights", "-y", by="eve")
        third = fleet.run("rollout", "start", plans[0], "--strategy", "nights", "-y", by="eve")
        fleet["vts1"].let_go("restart")
        ended = first.ended()

    assert (0, 0, 7) == (ended.code, second.code, third.code)
    assert "held by run" in third.err
    assert ["new"] * 6 == list(fleet.configs.values())
    assert [1] * 6 == [len(box.runs("armed")) for box in fleet]
    assert set() == fleet.claimed()
