"""What the store remembers of a host's runs, newest first; read when somebody asks, and no further than needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from vtsconf.core import plan as plans
from vtsconf.core.drift.past import Past
from vtsconf.core.errors import VtsconfError
from vtsconf.core.runs import RunSeen


class Store(Protocol):
    """What is asked of the journal."""

    def runs(self) -> list[RunSeen]: ...

    def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]: ...


class Memory:
    """One for a command. A journal that cannot be read is no reason to look at no server: `trouble` says so."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._open = store
        self._guard = threading.Lock()
        self._store: Store | None = None
        self._runs: list[RunSeen] | None = None
        self.trouble = ""

    @property
    def runs(self) -> list[RunSeen]:
        """Every run, the newest first."""
        with self._guard:
            if self._runs is None:
                try:
                    self._store = self._open()
                    self._runs = self._store.runs()[::-1]
                except VtsconfError as error:
                    self._runs, self.trouble = [], str(error)
            return self._runs

    @property
    def is_readable(self) -> bool:
        return bool(self.runs) or not self.trouble

    def names(self, host: str) -> frozenset[str]:
        """Every run, also as the host's own server calls it: a second try has a name of its own there."""
        return frozenset(
            name for run in self.runs for name in (run.run, run.hosts.get(host, {}).get("as", run.run))
        )

    def pasts(self, host: str) -> Pasts:
        return Pasts(self._pasts(host))

    def _pasts(self, host: str) -> Iterator[Past]:
        for run in self.runs:
            confirmed = run.hosts.get(host, {}).get("outcome") == "changed"
            if confirmed or run.is_unsettled(host):
                yield from self._past(run.run, host, confirmed=confirmed)

    def _past(self, run: str, host: str, *, confirmed: bool) -> Iterator[Past]:
        """None where the plan is not kept, or this version cannot read it."""
        assert self._store is not None
        try:
            document = self._store.plans(run, [host])[host]
            (part,) = plans.load(document.encode(), f"the plan of run {run}").hosts
        except (VtsconfError, KeyError, ValueError):
            return
        yield Past(run=run, plan=part, confirmed=confirmed)


class Pasts:
    """May be gone through again; what was read once is kept."""

    def __init__(self, source: Iterator[Past]) -> None:
        self._source = source
        self._read: list[Past] = []

    def __iter__(self) -> Iterator[Past]:
        at = 0
        while True:
            while at < len(self._read):
                yield self._read[at]
                at += 1
            following = next(self._source, None)
            if following is None:
                return
            self._read.append(following)
