"""Follows detached runs: one short look at a server now and then, whatever the number of its runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vtsconf.engine.migrate.yard import Yard
from vtsconf.transport.runs import RunState

Key = tuple[str, int]  # a run's id and attempt
_SHARE = 0.15  # of a run's age: that long it may have ended unseen, and not longer
_SOONEST = 0.15  # seconds between two looks at a server


@dataclass(kw_only=True)
class _Watched:
    since: float = field(default_factory=time.monotonic)
    due: float = 0.0  # when it is looked at next
    state: RunState | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    def plan(self, slowest: float) -> None:
        """The younger, the sooner: a short run is not kept waiting, and a long one is not asked often."""
        now = time.monotonic()
        self.due = now + min(max(_SOONEST, (now - self.since) * _SHARE), slowest)


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

    def close(self) -> None:
        """Whoever waits is told None."""
        self._halt.set()
        with self._guard:
            waiting = [run.changed for runs in self._hosts.values() for run in runs.values()]
            for event in (*self._news.values(), *waiting):
                event.set()

    def _add(self, host: str, run: Key) -> _Watched:
        with self._guard:
            runs = self._hosts.setdefault(host, {})
            watched = runs.setdefault(run, _Watched())
            watched.plan(self._slowest)
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
            until = min(run.due for run in watched.values()) - time.monotonic()
            if until > 0 and news.wait(until):
                news.clear()  # a new run: perhaps it is to be looked at sooner
                continue
            self._look(host, watched)

    def _look(self, host: str, watched: dict[Key, _Watched]) -> None:
        ids = sorted({id_ for id_, _ in watched})
        try:
            seen = self._yard.with_server(host, lambda server, place: server.look(ids, place.state_dir))
            found = {state.id: state for state in seen.runs}
        except Exception:  # noqa: BLE001 whatever it was, the runs go on, and so does this thread: the next look tells
            found = {}
        for (id_, attempt), run in watched.items():
            run.state = _of(attempt, found.get(id_))
            run.plan(self._slowest)
            run.changed.set()


def _of(attempt: int, seen: RunState | None) -> RunState | None:
    """Of a server that shows a newer attempt, or none any more, nobody learns how this one goes: "none"."""
    if seen is None or seen.attempt == attempt:
        return seen
    return replace(seen, attempt=attempt, state="none", exit=None, output=b"")
