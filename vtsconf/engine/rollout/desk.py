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


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who wants to know, while it goes on. `told`: a sentence for people about the rollout itself."""

    done: Callable[[HostResult], None] = field(default=lambda _result: None)
    told: Callable[[str], None] = field(default=lambda _sentence: None)
    stop: Stop = field(default_factory=Stop)


@dataclass(kw_only=True)
class Desk:
    """One controller's part in one run. `targets` raises Invalid for connection variables that are wrong."""

    run: str
    order: Order
    journal: Journal
    targets: Callable[[Collection[str]], Mapping[str, Target]]
    now: Callable[[], float]  # seconds since 1970
    parallel: int = 50
    watch: Watch = field(default_factory=Watch)
    plans: dict[str, HostPlan] = field(
        default_factory=dict
    )  # what is known already; the rest is in the journal
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def holder(self) -> str:
        return self.order.holder

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
