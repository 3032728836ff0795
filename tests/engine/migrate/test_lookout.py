"""Following detached runs: one look for all of a server, patience with one that is away, never a wrong end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.engine.migrate.around import Server, hands
from vtsconf.transport.runs import RunSpec, RunState


def begun(server: Server, *ids: str) -> None:
    for id_ in ids:
        server.jobs.start(RunSpec(id=id_, attempt=1, argv=("tool", "archive")))


def test_many_runs_of_a_server_are_one_look(tmp_path: Path) -> None:
    server, ids = Server(), [f"j{n}" for n in range(40)]
    begun(server, *ids)
    lookout = hands(tmp_path, {"vts1": server}).lookout
    rounds = threading.Barrier(40)
    seen: dict[str, int] = dict.fromkeys(ids, 0)

    def heard(id_: str) -> bool:
        seen[id_] += 1
        if seen[id_] == 2:
            rounds.wait(30)  # all were told twice before any of them ends
            server.jobs.finish(id_)
        return True

    with ThreadPoolExecutor(40) as pool:
        over = list(pool.map(lambda id_: lookout.until_over("vts1", (id_, 1), lambda _: heard(id_)), ids))

    assert {"ended"} == {state.state for state in over if state}
    assert 40 == len(over)
    assert f"look {' '.join(sorted(ids))}" in server.calls
    assert len(server.calls) < 40


def test_a_server_that_is_away_is_asked_again_and_its_run_is_not_given_up(tmp_path: Path) -> None:
    server = Server(away=3)
    begun(server, "j1")
    heard: list[RunState | None] = []

    def listen(state: RunState | None) -> bool:
        heard.append(state)
        if state is not None:
            server.jobs.finish("j1", 4)
        return True

    over = hands(tmp_path, {"vts1": server}).lookout.until_over("vts1", ("j1", 1), listen)

    assert over
    assert ("ended", 4) == (over.state, over.exit)
    assert [None, None] == heard[:2]


def test_a_look_that_breaks_is_no_end(tmp_path: Path) -> None:
    server = Server()
    begun(server, "j1")
    broken = [RuntimeError("a bug"), ValueError("another")]

    def call(what: str) -> None:
        server.calls.append(what)
        if broken:
            raise broken.pop()
        server.jobs.finish("j1", 0)

    server._call = call  # type: ignore[method-assign]
    over = hands(tmp_path, {"vts1": server}).lookout.until_over("vts1", ("j1", 1), lambda _: True)

    assert over
    assert "ended" == over.state
    assert not broken


def test_a_run_that_the_server_has_forgotten_is_told_as_none(tmp_path: Path) -> None:
    over = hands(tmp_path, {"vts1": Server()}).lookout.until_over("vts1", ("j1", 1), lambda _: True)

    assert over
    assert ("none", 1) == (over.state, over.attempt)


def test_the_end_of_a_newer_attempt_is_not_the_end_of_ours(tmp_path: Path) -> None:
    server = Server()
    server.jobs.start(RunSpec(id="j1", attempt=2, argv=("tool", "archive")))
    server.jobs.finish("j1", 0, b"yes")

    over = hands(tmp_path, {"vts1": server}).lookout.until_over("vts1", ("j1", 1), lambda _: True)

    assert over
    assert ("none", None, b"") == (over.state, over.exit, over.output)


def test_closing_lets_everybody_go(tmp_path: Path) -> None:
    server = Server()
    begun(server, "j1")
    lookout = hands(tmp_path, {"vts1": server}).lookout
    heard = threading.Event()

    def listen(_: RunState | None) -> bool:
        heard.set()
        return True

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lookout.until_over, "vts1", ("j1", 1), listen)
        assert heard.wait(30)
        lookout.close()

        assert waiting.result(30) is None
