"""A rollout as this controller knows it: what it does is in the journal first, what others do is read from there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from vtsconf.core.errors import VtsconfError
from vtsconf.core.rollout.state import Rollout
from vtsconf.core.runs import Event
from vtsconf.engine.journal import Journal


@dataclass(kw_only=True)
class Ledger:
    """One run. `now`: seconds since 1970. Safe for threads.

    What could not be written is remembered here all the same, so that no server is changed twice by this process;
    `trouble` says why, and nothing more is begun.
    """

    run: str
    journal: Journal
    now: Callable[[], float]
    trouble: str = ""
    _rollout: Rollout = field(init=False)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._rollout = Rollout.of(self.run)

    def read(self) -> Rollout:
        """All that is known by now, other controllers' events among it; without a journal, what was known before."""
        with self._guard:
            try:
                for event in self.journal.events(self.run, after=self._rollout.last):
                    self._rollout.feed(event)
            except VtsconfError as error:
                self.trouble = self.trouble or str(error)
            return self._rollout

    def event(self, action: str, host: str = "", /, **body: Any) -> Event:
        """An event of this run, happening now."""
        now = self.now()
        return Event(at=int(now), run=self.run, host=host, action=action, body=body | {"time": round(now, 3)})

    def write(self, *events: Event) -> None:
        """Append. Raises VtsconfError where the journal cannot be written.

        Without the guard: the journal writes what many threads append at once together.
        """
        self.journal.add_all(events)

    def note(self, *events: Event) -> None:
        """Append what has happened, come what may."""
        try:
            self.write(*events)
        except VtsconfError as error:
            with self._guard:
                self.trouble = str(error)
                for event in events:
                    self._rollout.feed(_with(event, self.trouble))


def _with(event: Event, trouble: str) -> Event:
    """What happened has happened: the report says both."""
    if "reason" not in event.body:
        return event
    reason = f"{event.body['reason']}; {trouble}".removeprefix("; ")
    return replace(event, body={**event.body, "reason": reason})
