"""One difference between a server and its documents, with its class and the reason for it; a host's and a fleet's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vtsconf.core.outcome import Exit, PlanOutcome, worst
from vtsconf.core.plan import HostPlan, Plan


class Class(StrEnum):
    """What kind of difference it is.

    EDITED       not as the documents say, and not as our last run left it
    NOT_APPLIED  as our last run left it: the documents have moved on
    NOT_LOADED   written, and the service that reads it was not restarted since
    UNMANAGED    a key of a family that the documents manage, and no document speaks of it
    COSMETIC     it means the same and is written differently
    """

    EDITED = "edited"
    NOT_APPLIED = "not-applied"
    NOT_LOADED = "not-loaded"
    UNMANAGED = "unmanaged"
    COSMETIC = "cosmetic"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One address that is not as it should be. `reason` says why it is of this class.

    `live` and `desired` are None where there is nothing on that side; with `secret` they are keyed fingerprints.
    """

    cls: Class
    address: str  # without the host: "ems/ems_enable", "services/ems"
    reason: str
    live: Any = None
    desired: Any = None
    secret: bool = False
    path: str = ""  # the file on the server that it was read from
    stood: bool = False  # UNMANAGED, and it stood so already when our last run wrote the file


@dataclass(frozen=True, kw_only=True)
class Hint:
    """Something that may tell who changed a server, and when. Never a fact: it only stood near.

    `kind`: "mtime", "event" (of the event log), "login" or "run" (of the server's own journal of us).
    """

    kind: str
    text: str
    at: int | None = None  # seconds since 1970, by the server's clock; None where that cannot be told
    by: str = ""  # who, where it names anybody
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which findings are told, and which of them make a server differ.

    Cosmetic ones do not, nor what nobody manages and stood there already when our last run was carried out: after an
    `apply` a server is as its documents say. With `strict` they do.
    """

    ignored: frozenset[Class] = frozenset()
    strict: bool = False

    def tells(self, finding: Finding) -> bool:
        return finding.cls not in self.ignored

    def counts(self, finding: Finding) -> bool:
        mild = finding.cls is Class.COSMETIC or finding.stood
        return self.tells(finding) and (self.strict or not mild)

    @property
    def classes(self) -> tuple[Class, ...]:
        """Those that are told."""
        return tuple(cls for cls in Class if cls not in self.ignored)


class Verdict(StrEnum):
    """SAME is said only of a server that was compared."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_COMPARED = "not-compared"


@dataclass(frozen=True, kw_only=True)
class HostDrift:
    """One host: its plan, every address that was compared, and what of it differs."""

    plan: HostPlan
    addresses: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    hints: tuple[Hint, ...] = ()

    @property
    def name(self) -> str:
        return self.plan.host

    @property
    def is_compared(self) -> bool:
        return self.plan.outcome in (PlanOutcome.CHANGES, PlanOutcome.IN_SYNC)

    def verdict(self, rule: Rule) -> Verdict:
        if not self.is_compared:
            return Verdict.NOT_COMPARED
        return Verdict.DIFFERS if any(map(rule.counts, self.findings)) else Verdict.SAME

    def exit(self, rule: Rule) -> Exit:
        """A host that could not be compared keeps the exit code of its plan."""
        return Exit.CHANGES if self.verdict(rule) is Verdict.DIFFERS else self.plan.outcome.exit

    def told(self, rule: Rule) -> tuple[Finding, ...]:
        return tuple(filter(rule.tells, self.findings))

    def outcome(self, rule: Rule) -> str:
        """One of OUTCOMES: that it is the same, that it differs, or why it could not be compared."""
        verdict = self.verdict(rule)
        return self.plan.outcome.value if verdict is Verdict.NOT_COMPARED else verdict.value


OUTCOMES = ("same", "differs", "unreachable", "invalid", "locked", "error")


@dataclass(frozen=True, kw_only=True)
class FleetDrift:
    """Every selected host, once, in the inventory's order. `started` and `ended`: seconds since 1970."""

    plan: Plan
    hosts: tuple[HostDrift, ...]
    rule: Rule = field(default_factory=Rule)
    started: float = 0.0
    ended: float = 0.0

    @property
    def exit(self) -> Exit:
        return worst(host.exit(self.rule) for host in self.hosts)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many hosts ended in which way; every host is counted once."""
        counts = Counter(host.outcome(self.rule) for host in self.hosts)
        return {outcome: counts[outcome] for outcome in OUTCOMES}

    @property
    def classes(self) -> dict[str, int]:
        """How many findings of each class that is told."""
        counts = Counter(finding.cls for host in self.hosts for finding in host.findings)
        return {cls.value: counts[cls] for cls in self.rule.classes}
