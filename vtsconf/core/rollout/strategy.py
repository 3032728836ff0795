"""How a fleet is changed: in which waves, what must hold after each, what is tolerated, what is done on a failure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

from vtsconf.core.rollout.gate import Question
from vtsconf.core.window import Window

_SHARE = re.compile(r"(?P<number>[0-9]{1,7})|(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,4})?)%")

Approval = Literal["start", "canary", "each"]


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many servers: a number, or a percentage of all, rounded up, at least one."""

    number: int = 0
    percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Share:
        """What `5` or `10%` says. Raises ValueError with a sentence."""
        match = _SHARE.fullmatch(text.strip())
        if match and match["number"]:
            return cls(number=int(match["number"]))
        if match and float(match["percent"]) <= 100:
            return cls(percent=float(match["percent"]))
        raise ValueError(f"`{text[:40]}` is not a number of servers, nor a percentage up to 100%")

    def of(self, total: int) -> int:
        """The size of a wave out of `total`: rounded up, at least 1."""
        return max(1, min(total, self.number or math.ceil(self._exactly(total))))

    def tolerated(self, total: int) -> int:
        """How many of `total` may fail: rounded down, 0 is none."""
        return self.number or math.floor(self._exactly(total))

    def _exactly(self, total: int) -> float:
        return round(total * self.percent / 100, 6)  # 1.1 % of 3000 is 33, and not 33.00000000000001

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

    @property
    def canary_number(self) -> int:
        """How many go first, where `canary` is a number; 0 where it is a pattern or empty."""
        return int(self.canary) if self.canary.isascii() and self.canary.isdecimal() else 0


def to_json(strategy: Strategy) -> dict[str, Any]:
    """The strategy as the journal keeps it."""
    return dict(_adapter().dump_python(strategy, mode="json"))


def strategy_of(document: Mapping[str, Any]) -> Strategy:
    """The way back. A key that is not known, of a later version, is passed over. Raises ValueError."""
    return cast("Strategy", _adapter().validate_python(document, strict=False))


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Strategy)
