"""Follows detached runs: one question to a server that it answers when one of its runs has ended, whatever their number."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vtsconf.engine.migrate.yard import Yard
from vtsconf.transport.runs import RunState

Key = tuple[str, int]  # a run's id and attempt
_SOONEST, _GROWS = (
    0.2,
    2.0,
)  # seconds after which a server that is away is asked again; times as long each time


@dataclass(kw_only=True)
class _Watched:
    state: RunState | None = None
    changed: threading.Event = field(default_factory=threading.Event)


class Lookout:
    """`slowest`: seconds that a server keeps a question whose runs all go on. Safe for threads.

    A server that cannot be reached is asked again later: its runs go on without us. A run that is watched while a question
    is out is not in it; but a server answers when any of its runs ends, and then the next question has them all.
    """

    def __init__(self, yard: Yard, *, slowest: float = 30.0) -> None:
        self._yard, self._slowest = yard, slowest
        self._guard = threading.Lock()
        self._hosts: dict[str, dict[Key, _Watched]] = {}
        self._news: dict[str, threading.Event] = {}
        self._halt = threading.Event()

    def until_over(self, host: str, run: Key, heard: Callable[[RunState | None], bool]) -> RunState | None:
        """Wait until the run neither waits nor runs; `heard` is told of every answer (None: no contact) and of every
        `wake`, and may end the waiting by answering False: then None.
        """
        watched = self._add(host, run)
        try:
            while not self._halt.is_set():
                watched.changed.wait()
                watched.changed.clear()
                if self._halt.is_set():
                    break
                state = watched.state
                if state is not None and state.state != "running":
                    return state
                if not heard(state):
                    return None
        finally:
            self._remove(host, run)
        return None

    def wake(self) -> None:
        """Everybody who waits looks whether he is to go on: somebody has asked for the end of a job, say."""
        with self._guard:
            waiting = [run.changed for runs in self._hosts.values() for run in runs.values()]
        for changed in waiting:
            changed.set()

    def close(self) -> None:
        """Whoever waits is told None."""
        self._halt.set()
        self.wake()
        with self._guard:
            for news in self._news.values():
                news.set()

    def _add(self, host: str, run: Key) -> _Watched:
        with self._guard:
            watched = self._hosts.setdefault(host, {}).setdefault(run, _Watched())
            if host not in self._news:
                self._news[host] = threading.Event()
                threading.Thread(
                    target=self._watch, args=(host,), name=f"lookout {host}", daemon=True
                ).start()
            self._news[host].set()
        return watched

    def _remove(self, host: str, run: Key) -> None:
        with self._guard:
            self._hosts.get(host, {}).pop(run, None)

    def _watch(self, host: str) -> None:
        pause = _SOONEST
        while not self._halt.is_set():
            with self._guard:
                self._news[host].clear()
                watched = dict(self._hosts[host])
            if not watched:
                self._news[host].wait()
            elif self._ask(host, watched):
                pause = _SOONEST
            else:
                self._halt.wait(pause)
                pause = min(pause * _GROWS, self._slowest)

    def _ask(self, host: str, watched: dict[Key, _Watched]) -> bool:
        """Whether the server has answered."""
        ids = sorted({id_ for id_, _ in watched})
        try:
            seen = self._yard.with_server(
                host, lambda server, place: server.look(ids, place.state_dir, patience=self._slowest)
            )
            found = {state.id: state for state in seen.runs}
        except Exception:  # noqa: BLE001 whatever it was, the runs go on, and so does this thread: the next look tells
            found = {}
        for (id_, attempt), run in watched.items():
            run.state = _of(attempt, found.get(id_))
            if run.state is not None and run.state.state != "running":
                self._remove(host, (id_, attempt))  # asked about once more, it would be the answer at once
            run.changed.set()
        return bool(found)


def _of(attempt: int, seen: RunState | None) -> RunState | None:
    """Of a server that shows a newer attempt, or none any more, nobody learns how this one goes: "none"."""
    if seen is None or seen.attempt == attempt:
        return seen
    return replace(seen, attempt=attempt, state="none", exit=None, output=b"")
