"""What a check of a server comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check came out. UNKNOWN: it could not be made."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"

    @property
    def symbol(self) -> str:
        return {"ok": "=", "unknown": "?"}.get(self.value, "!")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    what: str
    why: str = ""
    remedy: str = ""


def passes(name: str, what: str) -> Check:
    return Check(name=name, verdict=Verdict.OK, what=what)


def warns(name: str, what: str, why: str, remedy: str) -> Check:
    return Check(name=name, verdict=Verdict.WARNING, what=what, why=why, remedy=remedy)


def fails(name: str, what: str, why: str, remedy: str) -> Check:
    return Check(name=name, verdict=Verdict.ERROR, what=what, why=why, remedy=remedy)


def untold(name: str, what: str, remedy: str = "") -> Check:
    return Check(name=name, verdict=Verdict.UNKNOWN, what=what, remedy=remedy)
