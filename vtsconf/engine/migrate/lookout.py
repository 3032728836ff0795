"""Follows detached runs: one short look at a server now and then, whatever the number of its runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from vtsconf.engine.migrate.yard import Yard
from vtsconf.transport.runs import RunState

Key = tuple[str, int]  # a run's id and attempt
_EAGER = (0.3, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between looks at a young run


@dataclass(kw_only=True)
class _Watched:
    looks: int = 0
    state: RunState | None = None
    changed: threading.Event = field(default_factory=threading.Event)


class Lookout:
    """`slowest`: seconds between two looks at a server with old runs only. Safe for threads.

    A server that cannot be reached is looked at again later: its runs go on without us.
    """

    def __init__(self, yard: Yard, *, slowest: float = 30.0) -> None:
        self._yard, self._slowest = yard, slowest
        self._guard = threading.Lock()
        self._hosts: dict[str, dict[Key, _Watched]] = {}
        self._news: dict[str, threading.Event] = {}
        self._halt = threading.Event()

    def until_over(self, host: str, run: Key, heard: Callable[[RunState | None], bool]) -> RunState | None:
        """Wait until the run neither waits nor runs; `heard` is told of every look (None: no contact), and may end
        the waiting by answering False: then None.
        """
        watched = self._add(host, run)
        try:
            while not self._halt.is_set():
                watched.changed.wait()
                watched.changed.clear()
                state = watched.state
                if state is not None and state.state != "running":
                    return state
                if not heard(state):
                    return None
        finally:
            self._remove(host, run)
        return None

    def close(self) -> None:
        self._halt.set()
        for news in list(self._news.values()):
            news.set()

    def _add(self, host: str, run: Key) -> _Watched:
        with self._guard:
            runs = self._hosts.setdefault(host, {})
            watched = runs.setdefault(run, _Watched())
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
        news = self._news[host]
        while not self._halt.is_set():
            with self._guard:
                watched = dict(self._hosts[host])
            if not watched:
                news.wait(self._slowest)
                news.clear()
                continue
            news.wait(self._pause(watched))
            news.clear()
            self._look(host, watched)

    def _pause(self, watched: dict[Key, _Watched]) -> float:
        youngest = min(run.looks for run in watched.values())
        return min(_EAGER[youngest] if youngest < len(_EAGER) else self._slowest, self._slowest)

    def _look(self, host: str, watched: dict[Key, _Watched]) -> None:
        ids = sorted({id_ for id_, _ in watched})
        try:
            seen = self._yard.with_server(host, lambda server, place: server.look(ids, place.state_dir))
            found = {(state.id, state.attempt): state for state in seen.runs}
        except Exception:  # noqa: BLE001 whatever it was, the runs go on, and so does this thread: the next look tells
            found = {}
        for key, run in watched.items():
            run.looks += 1
            run.state = found.get(key)
            run.changed.set()
