"""The durable engine under kill -9: nothing is lost, nothing is done by two at the same time, what has ended is not repeated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.durable import EACH, LEAD, Crew, Log, said
from tests.real.postgres import Postgres
from vtsconf.engine.durable import Client, State

COUNT = 24
GRACE = 0.5
_SOON = ("--grace", str(GRACE))
_MANY = ("--submit", "lead", "--argument", "200", "--seconds", "0.3")
StartCrew = Callable[[str], Crew]


@pytest.fixture
def crew_of(tmp_path: Path) -> Iterator[StartCrew]:
    crews: list[Crew] = []

    def start(store: str) -> Crew:
        crews.append(Crew(tmp_path, store))
        return crews[-1]

    yield start
    for crew in crews:
        crew.close()


@pytest.fixture
def sqlite(crew_of: StartCrew, tmp_path: Path) -> Crew:
    return crew_of(f"sqlite:///{tmp_path}/vtsconf.db")


@pytest.fixture(params=["sqlite", "pair"])
def crew(request: pytest.FixtureRequest) -> Crew:
    return request.getfixturevalue(request.param)


@pytest.fixture
def pair(crew_of: StartCrew, postgres: Postgres) -> Crew:
    return crew_of(postgres.fresh())


def _nothing_lost(log: Log, count: int = COUNT) -> None:
    everything = set(range(count))

    assert (everything, everything) == (set(log.ended), set(log.marked))
    assert Counter() == log.clashes


def _repeated(log: Log) -> int:
    return sum(times - 1 for times in log.started.values())


def _dead(worker) -> None:
    worker.wait(60)

    assert -signal.SIGKILL == worker.returncode


@pytest.mark.parametrize("point", ["enqueue:11", "middle:9", "end:9"])
def test_killed_and_started_again(crew: Crew, point: str) -> None:
    _dead(crew.start("--submit", "lead", "--kill", point))
    before = crew.log
    out, err = said(crew.start("--submit", "lead"))
    after = crew.log

    assert (f"{COUNT}\n", "") == (out, err)
    _nothing_lost(after)
    assert _repeated(after) <= EACH  # what was in flight
    assert all(after.started[n] == 1 for n in before.marked)


def test_one_of_two_dies_for_good(pair: Crew) -> None:
    pair.start()
    _dead(pair.start("--submit", "lead", "--kill", "middle:5"))
    _until(pair, lambda client: client.status(LEAD).state is State.DONE)

    _nothing_lost(pair.log)
    assert _repeated(pair.log) <= EACH


def test_one_of_two_dies_on_a_machine_that_nobody_can_look_at(pair: Crew) -> None:
    pair.start("--elsewhere", *_SOON)
    _dead(pair.start("--elsewhere", "--submit", "lead", "--kill", "middle:5"))
    _until(pair, lambda client: client.status(LEAD).state is State.DONE)

    _nothing_lost(pair.log)


def test_a_frozen_one_keeps_its_work(pair: Crew) -> None:
    """It is not dead: its session stands. So its jobs wait for it, however long, and are done once."""
    frozen = pair.start("--submit", "lead", "--kill", "middle:5", "--stop", *_SOON)
    os.waitpid(frozen.pid, os.WUNTRACED)
    pair.start(*_SOON)
    _until(pair, lambda client: {work.by for work in client.running()} == {client.status(LEAD).by})
    time.sleep(4 * GRACE)  # that nothing happens shows only with time
    meanwhile = pair.log
    frozen.send_signal(signal.SIGCONT)
    out, _ = said(frozen)

    assert 0 == _repeated(meanwhile)
    assert f"{COUNT}\n" == out
    _nothing_lost(pair.log)
    assert 0 == _repeated(pair.log)


def test_the_database_dies_and_comes_back(pair: Crew, postgres: Postgres) -> None:
    pair.start()
    leader = pair.start("--submit", "lead", "--seconds", "0.1")
    pair.until(lambda log: len(log.started) >= 6)
    postgres.kill()
    pair.until(lambda log: len(log.ended) == len(log.started))
    postgres.start()
    out, err = said(leader)

    assert (f"{COUNT}\n", "") == (out, err)
    _nothing_lost(pair.log)
    assert 0 == _repeated(pair.log)


# ---- the same, at length


@pytest.mark.soak
@pytest.mark.parametrize("point", ["enqueue:80", "middle:60", "end:60"])
def test_two_hundred_jobs_killed_and_started_again(crew: Crew, point: str) -> None:
    _dead(crew.start(*_MANY, "--kill", point))
    out, _ = said(crew.start(*_MANY))

    assert "200\n" == out
    _nothing_lost(crew.log, 200)
    assert _repeated(crew.log) <= EACH


@pytest.mark.soak
def test_two_hundred_jobs_through_every_fault(pair: Crew, postgres: Postgres) -> None:
    """One is frozen, one dies, the database dies; two come to help."""
    frozen = pair.start(*_MANY, "--kill", "middle:30", "--stop")
    os.waitpid(frozen.pid, os.WUNTRACED)
    _dead(pair.start("--kill", "middle:20", "--seconds", "0.3"))
    pair.start("--seconds", "0.3")
    pair.until(lambda log: len(log.ended) >= 60)
    postgres.kill()
    time.sleep(3)
    frozen.send_signal(signal.SIGCONT)
    postgres.start()
    out, _ = said(frozen)

    assert "200\n" == out
    _nothing_lost(pair.log, 200)
    assert _repeated(pair.log) <= EACH


# ---- waiting, words, upgrades


def _begin_to_wait(crew: Crew) -> tuple[subprocess.Popen[str], int]:
    """A flow that waits for a word, and until when, as it is written down (milliseconds since 1970)."""
    worker = crew.start("--submit", "patient", "--argument", "600")
    _until(crew, lambda client: bool(_alarms(client)))
    with Client(crew.store) as client:
        return worker, _alarms(client)[0]


def _alarms(client: Client) -> list[int]:
    steps = client._api.list_workflow_steps(LEAD)
    return [step["output"] for step in steps if step["function_name"] == "DBOS.sleep" and step["output"]]


def _kill(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.wait()


def _signal(crew: Crew, word: str) -> None:
    with Client(crew.store) as client:
        client.signal(LEAD, word)


def test_a_wait_survives_and_is_not_begun_anew(crew: Crew) -> None:
    first, alarm = _begin_to_wait(crew)
    _kill(first)
    second = crew.start("--submit", "patient")
    _until(crew, lambda client: f"/{second.pid}/" in client.status(LEAD).by)
    with Client(crew.store) as client:
        alarms = _alarms(client)
    _signal(crew, "go")

    assert [first.pid, "go"] == json.loads(said(second)[0])
    assert [alarm] == alarms


def test_a_word_is_kept_while_nobody_listens(crew: Crew) -> None:
    first, _ = _begin_to_wait(crew)
    _kill(first)
    _signal(crew, "said to nobody")

    assert [first.pid, "said to nobody"] == json.loads(said(crew.start("--submit", "patient"))[0])


def test_cancelled_by_another_process(crew: Crew) -> None:
    worker, _ = _begin_to_wait(crew)
    with Client(crew.store) as client:
        client.cancel(LEAD)
        state = client.status(LEAD).state

    assert ("VtsconfError: lead-1 was cancelled\n", "") == said(worker)
    assert State.CANCELLED is state


def test_an_upgrade_goes_on_where_the_old_version_was(sqlite: Crew) -> None:
    first, _ = _begin_to_wait(sqlite)
    _kill(first)
    _signal(sqlite, "go")

    assert [first.pid, "go", "more"] == json.loads(
        said(sqlite.start("--submit", "patient", "--version", "2"))[0]
    )


def test_an_upgrade_whose_steps_do_not_fit_is_refused_and_begun_again(sqlite: Crew) -> None:
    first, alarm = _begin_to_wait(sqlite)
    _kill(first)
    out, _ = said(sqlite.start("--submit", "patient", "--version", "3"))
    second = sqlite.start("--submit", "patient", "--version", "3", "--again")
    _until(
        sqlite, lambda client: _alarms(client) not in ([], [alarm])
    )  # words for the old one are not for the new one
    _signal(sqlite, "go")

    assert out.startswith("Refused: its steps do not fit")
    assert ["more", second.pid, "go"] == json.loads(said(second)[0])


def test_sqlite_has_one_engine(sqlite: Crew) -> None:
    first = sqlite.start()
    with pytest.raises(RuntimeError) as refused:
        sqlite.start()
    _kill(first)
    sqlite.start()

    assert f"is run by process {first.pid} on " in str(refused.value)


def _until(crew: Crew, holds: Callable[[Client], bool]) -> None:
    deadline = time.monotonic() + 60
    with Client(crew.store) as client:
        while not holds(client):
            assert time.monotonic() < deadline, client.running()
            time.sleep(0.02)
