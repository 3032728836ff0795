"""How a fleet is changed: in which waves, what must hold after each, what is tolerated, what is done on a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vtsconf.core.rollout.gate import Question
from vtsconf.core.window import Window

Approval = Literal["start", "canary", "each"]


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many servers: a number, or a percentage of all, rounded up, at least one."""

    number: int = 0
    percent: float = 0.0

    def of(self, total: int) -> int:
        """The size of a wave out of `total`: rounded up, at least 1."""
        return max(1, min(total, self.number or math.ceil(total * self.percent / 100)))

    def tolerated(self, total: int) -> int:
        """How many of `total` may fail: rounded down, 0 is none."""
        return self.number or math.floor(total * self.percent / 100)

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.percent else str(self.number)


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What is asked after each wave, besides that all of it is verified and confirmed."""

    health: bool = True  # the site's `vts.health`, again
    services: bool = True  # the status command of every service that has one
    bma: bool = False  # whether each backup client reaches its server
    event_log: bool = False
    event_log_path: str = "/usr/local/tape/log/event.log"
    severities: tuple[str, ...] = ("ERROR", "CRITICAL")
    ignore: tuple[str, ...] = ()  # regular expressions (POSIX extended): lines that do not count
    checks: tuple[Question, ...] = ()  # the site's own


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """`canary` is a host pattern, a number, or "" for none. `apart`: of each of these groups (names or globs) at most
    one server changes in a wave. `max_failures`: so many servers may fail, be unreachable or refuse.
    """

    name: str = "all-at-once"
    canary: str = ""
    canary_soak: int = 0  # seconds
    waves: tuple[Share, ...] = (Share(percent=100.0),)  # sizes; the last repeats until all are done
    soak: int = 0  # seconds between the first answers of the gates and the last
    apart: tuple[str, ...] = ()
    max_failures: Share | None = None  # None: no limit
    on_failure: Literal["keep", "revert"] = "keep"  # servers already changed
    window: Window | None = None  # waves begin only inside it
    approve: tuple[Approval, ...] = ()
    four_eyes: bool = False  # whoever approves is not who started
    gates: Gates | None = None  # None: nothing is asked


def to_json(strategy: Strategy) -> dict[str, Any]:
    """The strategy as the journal keeps it."""
    document = asdict(strategy)
    if strategy.gates:
        document["gates"]["checks"] = [question.to_json() for question in strategy.gates.checks]
    return document


def strategy_of(document: Mapping[str, Any]) -> Strategy:
    """The way back. A key that is not known, of a later version, is passed over."""
    from pydantic import TypeAdapter

    adapter = TypeAdapter(Strategy)
    known = {key: value for key, value in document.items() if key in Strategy.__dataclass_fields__}
    return adapter.validate_python(known, strict=False)
