"""Whose turn it is: which waiting jobs may run now, so that every limit holds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A job that could run. Those of a lower `priority`, then of a lower `seq`, go first."""

    id: str
    host: str
    bma: str
    policy: str
    bytes: int
    priority: int
    seq: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many jobs may run at once; by name, where they differ. `parked` BMAs, policies and hosts run nothing."""

    total: int = 100
    per_host: int = 4
    per_bma: int = 20
    hosts: Mapping[str, int] = field(default_factory=dict)
    bmas: Mapping[str, int] = field(default_factory=dict)
    policies: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (host, policy)
    parked: frozenset[tuple[str, str]] = frozenset()  # ("bma", "tsm"), ("policy", "nightly")

    def of_host(self, host: str) -> int:
        return self.hosts.get(host, self.per_host)

    def of_bma(self, bma: str) -> int:
        return self.bmas.get(bma, self.per_bma)

    def is_parked(self, job: Waiting) -> bool:
        return ("bma", job.bma) in self.parked or ("policy", job.policy) in self.parked


@dataclass(kw_only=True)
class Load:
    """What runs now, over all executors."""

    total: int = 0
    hosts: Counter[str] = field(default_factory=Counter)
    bmas: Counter[str] = field(default_factory=Counter)
    policies: Counter[tuple[str, str]] = field(default_factory=Counter)  # (host, policy)

    def add(self, host: str, bma: str, policy: str, count: int = 1) -> None:
        self.total += count
        self.hosts[host] += count
        self.bmas[bma] += count
        self.policies[host, policy] += count

    def full(self, limits: Limits) -> tuple[list[str], list[str]]:
        """Hosts and BMAs that can take no more."""
        hosts = [host for host, count in self.hosts.items() if count >= limits.of_host(host)]
        return hosts, [bma for bma, count in self.bmas.items() if bma and count >= limits.of_bma(bma)]

    def has_room(self, job: Waiting, limits: Limits) -> bool:
        policy = limits.policies.get((job.host, job.policy))
        return (
            self.total < limits.total
            and self.hosts[job.host] < limits.of_host(job.host)
            and (not job.bma or self.bmas[job.bma] < limits.of_bma(job.bma))
            and (policy is None or self.policies[job.host, job.policy] < policy)
            and not limits.is_parked(job)
        )


def choose(waiting: Iterable[Waiting], load: Load, limits: Limits, most: int) -> list[Waiting]:
    """At most `most` of them, in their order; `load` counts them in."""
    chosen: list[Waiting] = []
    for job in waiting:
        if len(chosen) == most or load.total >= limits.total:
            break
        if load.has_room(job, limits):
            load.add(job.host, job.bma, job.policy)
            chosen.append(job)
    return chosen
