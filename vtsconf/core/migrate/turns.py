"""Whose turn it is: which waiting jobs may run now, so that every limit holds. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A job that could run. Those of a lower `priority`, then of a lower `seq`, go first.

    `goes_on`: its run may be at work on its server already.
    """

    id: str
    host: str
    path: str
    bma: str
    policy: str
    bytes: int
    priority: int
    seq: int
    action: str = "migrate"
    goes_on: bool = False


_FIRST_HOLD, _LONGEST_HOLD = 10, 600  # seconds


def hold(count: int) -> int:
    """Seconds that a server which was found away so often in a row is left alone: twice as long each time."""
    return int(min(_FIRST_HOLD * 2 ** min(count - 1, 20), _LONGEST_HOLD))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many jobs may run at once; by name, where they differ. `parked` BMAs, policies and hosts run nothing.

    `known`: the only hosts that whoever asks can work for, and `only` the jobs, by id; None: any.
    """

    total: int = 100
    per_host: int = 4
    per_bma: int = 20
    hosts: Mapping[str, int] = field(default_factory=dict)
    bmas: Mapping[str, int] = field(default_factory=dict)
    policies: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (host, policy)
    # each by its kind and its name: a bma, a policy or a host
    parked: frozenset[tuple[str, str]] = frozenset()
    known: frozenset[str] | None = None
    only: frozenset[str] | None = None

    def of_host(self, host: str) -> int:
        return self.hosts.get(host, self.per_host)

    def of_bma(self, bma: str) -> int:
        return self.bmas.get(bma, self.per_bma)

    def parked_of(self, kind: str) -> list[str]:
        """The names of those of one kind: bma, policy, host."""
        return sorted(name for of, name in self.parked if of == kind)

    def is_parked(self, job: Waiting) -> bool:
        """A BMA or policy that fails holds back neither what may be at work already, nor a host that waits for its tape."""
        if ("host", job.host) in self.parked:
            return True
        own = {("bma", job.bma), ("policy", job.policy)}
        return not (job.goes_on or job.action == "restore" or own.isdisjoint(self.parked))


@dataclass(kw_only=True)
class Load:
    """What runs now, over all executors. `tapes`: by host and path the job that is at it, or may be; never two at once."""

    total: int = 0
    tapes: dict[tuple[str, str], str] = field(default_factory=dict)
    hosts: Counter[str] = field(default_factory=Counter)
    bmas: Counter[str] = field(default_factory=Counter)
    policies: Counter[tuple[str, str]] = field(default_factory=Counter)  # (host, policy)

    def add(self, id_: str, host: str, path: str, bma: str, policy: str) -> None:
        self.total += 1
        self.tapes[host, path] = id_
        self.hosts[host] += 1
        self.bmas[bma] += 1
        self.policies[host, policy] += 1

    def full(self, limits: Limits) -> tuple[list[str], list[str], list[str]]:
        """Hosts, BMAs, and policies of a host (HOST/POLICY) that can take no more."""
        hosts = [host for host, count in self.hosts.items() if count >= limits.of_host(host)]
        bmas = [bma for bma, count in self.bmas.items() if bma and count >= limits.of_bma(bma)]
        policies = [
            f"{host}/{policy}"
            for (host, policy), count in self.policies.items()
            if count >= limits.policies.get((host, policy), count + 1)
        ]
        return hosts + limits.parked_of("host"), bmas, policies

    def has_room(self, job: Waiting, limits: Limits) -> bool:
        policy = limits.policies.get((job.host, job.policy))
        return (
            self.total < limits.total
            and self.tapes.get((job.host, job.path), job.id) == job.id
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
            load.add(job.id, job.host, job.path, job.bma, job.policy)
            chosen.append(job)
    return chosen
