"""How much of a policy's `bytes_per_run` is spent already. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vtsconf.core.migrate.policy import Policy

_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A job that is on the list. `begun` in seconds since 1970: None while it waits, 0 where it never did."""

    id: str
    host: str
    policy: str
    moves: int  # bytes
    begun: int | None


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What of a budget is gone before a plan is made. `jobs` are on the list already: the plan counts them no more."""

    bytes: int = 0
    jobs: frozenset[str] = frozenset()


def since(policy: Policy, now: int) -> int:
    """Where the budget of a run that follows began: with the end of the opening before, so that what is planned while the
    window is closed counts for the opening to come. Without a window: a day ago, at every moment.
    """
    return policy.window.ended(now) if policy.window else now - _DAY


def spent(jobs: Iterable[Listed], began: Mapping[tuple[str, str], int]) -> dict[str, Spent]:
    """By policy. `began`: by host and policy, the moment from which jobs count; what waits counts in any case, because
    it will be done in this opening. Hosts and policies that are not there are not asked about.
    """
    known: dict[str, set[str]] = {}
    gone: dict[str, int] = {}
    for job in jobs:
        start = began.get((job.host, job.policy))
        if start is None:
            continue
        known.setdefault(job.policy, set()).add(job.id)
        if job.begun is None or job.begun >= start:
            gone[job.policy] = gone.get(job.policy, 0) + job.moves
    return {name: Spent(bytes=gone.get(name, 0), jobs=frozenset(ids)) for name, ids in known.items()}
