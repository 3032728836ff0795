"""Takes jobs from the book, as many as the limits allow, and has each brought to its end by the durable engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.migrate.job import Status
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.window import Window
from vtsconf.engine import durable
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.bring import bring
from vtsconf.engine.migrate.hands import Hands, Stopped

_RESCUE = 10  # seconds between two looks for jobs that were taken and never begun
_HESITATE = 5  # seconds that a job may be taken and not begun yet


def engine_store(store: str) -> str:
    """Where the engine of migrations keeps its work: in SQLite beside that of rollouts, so that both may run."""
    return f"{store}.tapes" if store.startswith("sqlite:") else store


def flows_of(hands: Hands) -> Mapping[str, Callable[[Any], Any]]:
    """The one flow: an attempt at a job, by whoever took it, or took it over."""

    def one(id_: str, attempt: int) -> str:
        flow = f"{id_}#{attempt}"
        is_adopted = flow not in hands.flows  # nobody in this process has taken it
        hands.flows.add(flow)
        try:
            return bring(id_, attempt, hands, is_adopted=is_adopted)
        except Stopped:
            threading.Event().wait()  # this process ends now; the next one begins the step again
            raise
        finally:
            hands.let_go(flow)

    def tape(argument: Mapping[str, Any]) -> str:
        return str(durable.step("bring", one, argument["id"], argument["attempt"]))

    return {"tape": tape}


@dataclass(kw_only=True)
class Executor:
    """`limits` as they are now; `windows` by host and policy; `most`: jobs at once in this process. Times are in seconds."""

    hands: Hands
    engine: durable.Engine
    limits: Callable[[], Limits]
    windows: Mapping[tuple[str, str], Window] = field(default_factory=dict)
    most: int = 500
    tick: float = 0.5
    _rescued: float = 0.0
    _heeded: frozenset[str] = frozenset()

    def run(self, is_over: Callable[[], bool]) -> None:
        """Until it is over, or this executor is told to stop."""
        while not (self.hands.stopping() or is_over()):
            if not self.fill():
                self.rest()

    def rest(self) -> None:
        """For a tick, or until a job of this process has ended: what others have ended shows at the next tick."""
        self.hands.freed.wait(self.tick)

    def fill(self) -> int:
        """Take what there is room for; returns how many began."""
        if self.hands.now() - self._rescued > _RESCUE:
            self._rescued = self.hands.now()
            self._rescue()
        self._heed()
        self.hands.freed.clear()
        room = self.most - len(self.hands.flows)
        taken = self.hands.book.take(self.engine.name, self.limits(), room, self.hands.clock)
        return sum(self._begin(entry) for entry in taken)

    def _begin(self, entry: Entry) -> bool:
        if closed := self._closed(entry):
            self.hands.book.postpone(entry, self.hands.clock, after=closed, reason="its window is closed")
            return False
        self.hands.write(entry, "job-started", by=self.engine.name, reason="")
        self._submit(entry)
        return True

    def _submit(self, entry: Entry) -> None:
        self.hands.flows.add(entry.flow)
        try:
            self.engine.submit("tape", entry.flow, {"id": entry.id, "attempt": entry.attempt})
        except BaseException:
            self.hands.let_go(entry.flow)
            raise

    def _closed(self, entry: Entry) -> int:
        """Seconds until its window opens; 0 while it is open. Neither a restore waits, nor what may be at work already."""
        window = self.windows.get((entry.job.host, entry.job.policy))
        if window is None or entry.job.action == "restore" or entry.number != entry.attempt:
            return 0
        return max(0, window.opens(self.hands.clock) - self.hands.clock)

    def _heed(self) -> None:
        """Who waits for a run looks into the book when somebody has asked for something, not all the time."""
        wishes = self.hands.book.wishes()
        if wishes - self._heeded:
            self.hands.lookout.wake()
        self._heeded = wishes

    def _rescue(self) -> None:
        """Taken by an executor that died before it began, or by a flow that ended without saying how."""
        taken = [entry for entry in self.hands.book.taken() if entry.job.host in self.hands.yard.places]
        self.hands.flows &= {
            entry.flow for entry in taken
        }  # of two that rescue the same job only one is at it
        for entry in taken:
            if entry.flow in self.hands.flows or self.hands.clock - entry.updated < _HESITATE:
                continue
            work = self.engine.status(entry.flow)
            if work is None:
                self._begin(entry)
            elif work.state.is_final:
                self.hands.let_go(entry.flow)
                why = f"its work ended without an answer: {work.failure or work.state}"
                self.hands.book.end(entry, Status.IN_DOUBT, self.hands.clock, reason=why)
