"""What a controller brings to a rollout: the journal, the way to servers, who it is, and who watches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from vtsconf.core import plan as plans
from vtsconf.core.connection import Target
from vtsconf.core.errors import VtsconfError
from vtsconf.core.plan import HostPlan
from vtsconf.engine.apply import HostResult, Order
from vtsconf.engine.fan import Stop
from vtsconf.engine.journal import Journal
from vtsconf.engine.rollout.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who wants to know, while it goes on."""

    done: Callable[[HostResult], None] = field(default=lambda _result: None)
    stop: Stop = field(default_factory=Stop)


@dataclass(kw_only=True)
class Desk:
    """One controller's part in one run.

    `find_targets` says how to reach servers, and raises Invalid for connection variables that are wrong.
    `plans` and `known` are what is at hand already; other plans are in the journal. `own_commands`: the commands, as words,
    that our documents have this machine run for a host; None: the run is not somebody else's, all of its commands are ours.
    """

    run: str
    order: Order
    journal: Journal
    find_targets: Callable[[Collection[str]], Mapping[str, Target]]
    now: Callable[[], float]  # seconds since 1970
    parallel: int = 50
    own_commands: Callable[[str], Collection[tuple[str, ...]]] | None = None
    shares: bool = False  # the servers of a wave are offered to other controllers too
    watch: Watch = field(default_factory=Watch)
    plans: dict[str, HostPlan] = field(default_factory=dict)
    known: dict[str, Target] = field(default_factory=dict)
    ledger: Ledger = field(init=False)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.ledger = Ledger(run=self.run, journal=self.journal, now=self.now)

    @property
    def holder(self) -> str:
        return self.order.holder

    def may_begin(self) -> bool:
        """Nobody wants it to stop: not the person at this terminal, nor anybody in the journal; and it can be written."""
        if self.watch.stop.is_set or self.ledger.trouble:
            return False
        rollout = self.ledger.read()
        return not (rollout.paused or rollout.abort or rollout.stopped or rollout.is_spent)

    def plan(self, host: str) -> HostPlan:
        """What is to be done there, as it was written down at the start."""
        with self._guard:
            if host not in self.plans:
                document = self.journal.plans(self.run, [host]).get(host)
                if document is None:
                    raise VtsconfError(f"the journal does not hold the plan of run {self.run} for {host}")
                name = f"the journal's plan for {host}"
                self.plans[host] = plans.load(document.encode(), name).hosts[0]
            return self.plans[host]

    def targets(self, hosts: Collection[str]) -> dict[str, Target]:
        """How to reach these servers; those that the inventory does not know are missing. Ask for many at once."""
        with self._guard:
            if unknown := [host for host in hosts if host not in self.known]:
                self.known.update(self.find_targets(unknown))
            return {host: self.known[host] for host in hosts if host in self.known}
