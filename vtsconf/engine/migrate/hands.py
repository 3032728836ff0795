"""What an executor works with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal
from vtsconf.engine.migrate.book import Book, Entry
from vtsconf.engine.migrate.lookout import Lookout
from vtsconf.engine.migrate.yard import Yard

_HEED = 0.5  # seconds between two looks whether to leave


class Stopped(Exception):
    """The executor was told to leave; the run on the server goes on, and is found again."""


@dataclass(kw_only=True)
class Hands:
    """One executor's. `now`: seconds since 1970. `told`: somebody who wants to know how a job goes.

    `flows` are those that this process is at; `freed` is set when one has ended, so that the next need not wait.
    """

    book: Book
    journal: Journal
    yard: Yard
    lookout: Lookout
    now: Callable[[], float]
    stopping: Callable[[], bool]
    told: Callable[[Entry, str], None] = field(default=lambda _entry, _word: None)

    allowed: frozenset[str] = frozenset()  # the names of `--allow-erase`
    flows: set[str] = field(default_factory=set)
    freed: threading.Event = field(default_factory=threading.Event)

    def let_go(self, flow: str) -> None:
        """It has ended here: there is room for another."""
        self.flows.discard(flow)
        self.freed.set()

    def pause(self, seconds: float) -> None:
        """Raises Stopped when the executor is told to leave meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.stopping():
                raise Stopped
            threading.Event().wait(min(left, _HEED))

    @property
    def clock(self) -> int:
        return int(self.now())

    def write(self, entry: Entry, action: str, **body: Any) -> None:
        """One event of a job, in its run's journal."""
        now = self.now()
        about = {"job": entry.id, "cartridge": entry.job.cartridge, "attempt": entry.attempt}
        event = Event(
            at=int(now),
            run=entry.run,
            host=entry.job.host,
            action=action,
            body=about | {"time": round(now, 3)} | body,
        )
        self.journal.add(event)
