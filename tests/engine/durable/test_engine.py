"""Flows, steps, words and children, as whoever writes a flow sees them. What survives a kill: tests/real/test_durable.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from vtsconf.core.errors import Locked, VtsconfError
from vtsconf.engine.durable import (
    Call,
    Client,
    Engine,
    Queue,
    State,
    gather,
    is_cancelled,
    spawn,
    step,
    wait,
)


class Flows:
    """Flows for these tests, and what their steps did."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._at_work: set[Any] = set()
        self.most = 0

    def by_name(self) -> dict[str, Any]:
        names = ("echo", "fails", "breaks", "family", "parent", "listens", "long", "crowd", "odd", "kinds")
        return {name: getattr(self, name) for name in names}

    def echo(self, argument: Any) -> Any:
        return step("do", self._do, argument)

    def _do(self, argument: Any) -> Any:
        self.done.append(argument)
        return argument

    def fails(self, _: Any) -> None:
        step("ask", self._locked)

    def _locked(self) -> None:
        raise Locked("vts1 is held by somebody", remedy="wait")

    def breaks(self, _: Any) -> None:
        raise ValueError("a value that may be a secret")

    def family(self, given: list[Any]) -> list[Any]:
        name, flows = given
        ended = gather(Call(flow=flow, id=f"{name}/{n}", argument=n) for n, flow in enumerate(flows))
        return [[work.state, work.result, str(work.failure or "")] for work in ended]

    def parent(self, name: str) -> str:
        spawn(Call(flow="echo", id=name, argument=name))
        return "not waited for"

    def listens(self, seconds: float) -> list[Any]:
        return [wait(seconds), wait(seconds)]

    def long(self, _: Any) -> str:
        return str(step("long", self._until_told))

    def _until_told(self) -> str:
        self.begun.set()
        while not is_cancelled() and not self.go_on.wait(0.02):
            pass
        return "cancelled" if is_cancelled() else "told"

    def crowd(self, name: str) -> None:
        step("meet", self._meet, name)

    def _meet(self, name: str) -> None:
        self._at_work.add(name)
        self.most = max(self.most, len(self._at_work))
        threading.Event().wait(0.03)
        self._at_work.discard(name)

    def kinds(self, _: Any) -> list[str]:
        return [type(step("pair", tuple, "ab")).__name__, *step("map", dict, [(1, 2)])]

    def odd(self, _: Any) -> Any:
        return object()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('durable')}/vtsconf.db"


@pytest.fixture(scope="module")
def flows() -> Flows:
    return Flows()


@pytest.fixture(scope="module")
def engine(store: str, flows: Flows) -> Iterator[Engine]:
    queues = {"by-key": Queue(per_key=1), "pairs": Queue(total=2)}
    with Engine(store, flows=flows.by_name(), queues=queues, poll=0.02) as engine:
        yield engine


def test_a_flow_runs_once_however_often_it_is_submitted(engine: Engine, flows: Flows) -> None:
    for _ in range(2):
        engine.submit("echo", "once", {"name": "vts1", "pair": (1, 2)})
        result = engine.result("once", 20)

    assert {"name": "vts1", "pair": [1, 2]} == result
    assert [result] == [done for done in flows.done if done == result]


def test_from_its_queue_it_is_the_same(engine: Engine) -> None:
    engine.submit("echo", "queued", 5, queue="echo")

    assert 5 == engine.result("queued", 20)


def test_an_error_keeps_its_kind_its_sentence_and_its_remedy(engine: Engine) -> None:
    for _ in range(2):  # as it was raised, and as it was stored
        engine.submit("fails", "fails")
        with pytest.raises(Locked) as caught:
            engine.result("fails", 20)

        assert ("vts1 is held by somebody", "wait") == (str(caught.value), caught.value.remedy)
    status = engine.status("fails")

    assert status
    assert (State.FAILED, "fails") == (status.state, status.flow)


def test_an_error_that_nobody_foresaw_keeps_its_text_to_itself(engine: Engine) -> None:
    engine.submit("breaks", "breaks")
    with pytest.raises(VtsconfError) as caught:
        engine.result("breaks", 20)

    assert "unexpected ValueError: this is a bug in vtsconf, please report it" == str(caught.value)


def test_only_json_is_taken(engine: Engine) -> None:
    with pytest.raises(TypeError):
        engine.submit("echo", "odd", object())
    engine.submit("odd", "odd")
    with pytest.raises(VtsconfError, match="unexpected TypeError"):
        engine.result("odd", 20)


def test_an_answer_is_the_same_when_it_is_given_and_when_it_is_read_again(engine: Engine) -> None:
    engine.submit("kinds", "kinds")

    assert ["list", "1"] == engine.result("kinds", 20)


def test_children_end_in_the_order_of_the_calls_and_a_failure_is_a_result(engine: Engine) -> None:
    engine.submit("family", "family", ["family", ["echo", "fails", "echo"]])

    assert [
        ["done", 0, ""],
        ["failed", None, "vts1 is held by somebody"],
        ["done", 2, ""],
    ] == engine.result("family", 20)


def test_nobody_waits_for_what_is_spawned(engine: Engine) -> None:
    engine.submit("parent", "parent", "spawned")

    assert "not waited for" == engine.result("parent", 20)
    assert "spawned" == engine.result("spawned", 20)


def test_words_are_kept_and_a_wait_ends(engine: Engine) -> None:
    engine.submit("listens", "listens", 0.05, delay=0.3, queue="listens")
    engine.signal("listens", {"by": "ann"})

    assert [{"by": "ann"}, None] == engine.result("listens", 20)


def test_a_word_for_nobody(engine: Engine) -> None:
    with pytest.raises(LookupError):
        engine.signal("never-submitted", "go")


def test_a_result_in_time_or_not_at_all(engine: Engine) -> None:
    engine.submit("listens", "late", 600)
    with pytest.raises(TimeoutError):
        engine.result("late", 0.05)
    with pytest.raises(LookupError):
        engine.result("never-submitted", 0.05)
    engine.cancel("late")


def _until_it_waits(engine: Engine, name: str) -> None:
    deadline = time.monotonic() + 20
    while not any(done["function_name"] == "DBOS.sleep" for done in engine._api.list_workflow_steps(name)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_cancelled_while_it_waits(engine: Engine) -> None:
    engine.submit("listens", "waits", 600)
    _until_it_waits(engine, "waits")
    thread = engine._local["waits"]
    engine.cancel("waits")
    ended = futures.wait([thread], 20).done
    with pytest.raises(VtsconfError, match="waits was cancelled"):
        engine.result("waits", 20)
    engine.cancel("waits")
    engine.cancel("never-submitted")

    assert {thread} == ended


def test_a_long_step_may_look_whether_it_was_cancelled(engine: Engine, flows: Flows) -> None:
    engine.submit("long", "long")
    assert flows.begun.wait(20)
    engine.cancel("long")
    with pytest.raises(VtsconfError, match="long was cancelled"):
        engine.result("long", 20)


def test_again_begins_at_the_first_step(engine: Engine, flows: Flows) -> None:
    engine.submit("echo", "again", "again")
    engine.result("again", 20)
    engine.again("again")
    engine.result("again", 20)
    with pytest.raises(LookupError):
        engine.again("never-submitted")

    assert 2 == flows.done.count("again")


def test_what_is_forgotten_may_be_submitted_anew(engine: Engine, flows: Flows) -> None:
    for _ in range(2):
        engine.submit("family", "forgotten", ["forgotten", ["echo"]])
        engine.result("forgotten", 20)
        flows.done.append("result")
        engine.forget("forgotten")
    engine.forget("never-submitted")

    assert engine.status("forgotten") is None
    assert [0, "result", 0, "result"] == flows.done[-4:]


@pytest.mark.parametrize(("queue", "keys", "most"), [("by-key", ["a"], 1), ("pairs", [""], 2)])
def test_queues_have_limits(engine: Engine, flows: Flows, queue: str, keys: list[str], most: int) -> None:
    flows.most = 0
    names = [f"{queue}-{n}" for n in range(6)]
    for n, name in enumerate(names):
        engine.submit("crowd", name, name, queue=queue, key=keys[n % len(keys)])
    for name in names:
        engine.result(name, 20)

    assert 0 < flows.most <= most


def test_another_process_sees_and_says_the_same(engine: Engine, store: str) -> None:
    engine.submit("listens", "seen", 600)
    with Client(store) as client:
        work = client.status("seen")
        running = [work.id for work in client.running()]
        client.signal("seen", 1)
        client.signal("seen", 2)
    heard = engine.result("seen", 20)

    assert work
    assert (State.RUNNING, engine.name) == (work.state, work.by)
    assert "seen" in running
    assert [1, 2] == sorted(heard)


def test_a_client_where_no_engine_has_ever_been(tmp_path: Path) -> None:
    with Client(f"sqlite:///{tmp_path}/vtsconf.db") as client:
        seen = (client.status("x"), client.running())
        client.cancel("x")
        with pytest.raises(LookupError):
            client.signal("x")

    assert (None, []) == seen
    assert [] == list(tmp_path.iterdir())


def test_one_engine_in_a_process(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Engine(f"sqlite:///{tmp_path}/other.db", flows={}):
        pass


def test_it_is_quiet(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        engine.submit("fails", f"quiet-{number}")
        with pytest.raises(Locked):
            engine.result(f"quiet-{number}", 20)

    assert ("", "") == capfd.readouterr()
