"""Removes what jobs have left behind that ended long ago: on their servers, and in the engine's store.

Not at once: what a server keeps of a run is how a second start of it is told from the first, and some executor may have been
frozen in the middle of a job that another one has brought to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vtsconf.core.errors import Unreachable
from vtsconf.engine import durable
from vtsconf.engine.migrate.book import Book, Entry
from vtsconf.engine.migrate.yard import Yard

_BATCH = 200  # jobs in one exec


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """`keep`: seconds after the end of a job."""

    book: Book
    yard: Yard
    engine: durable.Engine
    now: Callable[[], int]
    keep: int

    def clear(self) -> int:
        """Of all servers; returns of how many jobs. One that is away keeps its own until another time."""
        return sum(self._clear(host) for host in self.yard.places)

    def _clear(self, host: str) -> int:
        cleared = 0
        while found := self.book.forgettable(host, self.now() - self.keep, _BATCH):
            try:
                gone = self._forgotten(host, found)
            except Unreachable:
                break
            self.book.forgotten([entry.id for entry in gone])
            cleared += len(gone)
            if len(gone) < len(found):  # something of the others runs still
                break
        return cleared

    def _forgotten(self, host: str, entries: list[Entry]) -> list[Entry]:
        marks = [entry.job.mark for entry in entries]
        names = set(self.yard.with_server(host, lambda server, place: server.forget(marks, place.state_dir)))
        gone = [entry for entry in entries if entry.job.mark in names]
        for entry in gone:
            for attempt in range(1, entry.attempt + 1):
                self.engine.forget(f"{entry.id}#{attempt}")
        return gone
