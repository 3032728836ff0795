"""Connections that are kept for a while: one login serves many short questions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vtsconf.transport.server import Server


@dataclass(kw_only=True)
class Kept:
    """Idle connections by host: at most `most` of each, and none idle for longer than `longest` seconds. Safe for threads.

    A connection serves one caller at a time.
    """

    most: int = 4  # as many as ask at the same time where nobody says otherwise
    longest: float = 45.0  # more than the time between two looks at a server
    now: Callable[[], float] = time.monotonic
    _idle: dict[str, list[tuple[float, Server]]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def get(self, host: str) -> Server | None:
        """The one that was used last; None: there is none."""
        self._sweep()
        with self._guard:
            idle = self._idle.get(host)
            return idle.pop()[1] if idle else None

    def put(self, host: str, server: Server) -> None:
        """Only after a good answer: what has failed is closed by who saw it."""
        with self._guard:
            idle = self._idle.setdefault(host, [])
            has_room = len(idle) < self.most
            if has_room:
                idle.append((self.now(), server))
        if not has_room:
            server.close()

    def drop(self, host: str) -> None:
        """All of a host: one of them was found dead."""
        with self._guard:
            gone = self._idle.pop(host, [])
        for _, server in gone:
            server.close()

    def _sweep(self) -> None:
        oldest = self.now() - self.longest
        with self._guard:
            gone = [one for idle in self._idle.values() for one in idle if one[0] < oldest]
            for host, idle in self._idle.items():
                self._idle[host] = [one for one in idle if one[0] >= oldest]
        for _, server in gone:
            server.close()
