"""The migration plan of a fleet: which jobs, in which order, what is left for the next run, and what to warn of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vtsconf.core.migrate.budget import Spent
from vtsconf.core.migrate.candidate import Candidate, unpacked
from vtsconf.core.migrate.job import Job
from vtsconf.core.migrate.judge import Judge, Tally
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.schedule import Demand
from vtsconf.core.migrate.words import sized
from vtsconf.core.problem import Problem


@dataclass(kw_only=True)
class Part:
    """One server's. `outcome`: "judged", "unreachable", "invalid" or "error"; `judge` where its tapes were seen.

    `circles`: of each policy the names of those that would hand its tapes round for ever.
    """

    host: str
    outcome: str = "judged"
    reason: str = ""
    judge: Judge | None = None
    circles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A tape that is taken. `opens` in seconds since 1970; `later`: why it is left for the next run, "" for this one."""

    job: Job
    opens: int
    later: str = ""


@dataclass(kw_only=True)
class MigrationPlan:
    """`made` and `now` in seconds: they differ where another moment is simulated. `rate`: bytes a second of a drive.

    `spent`: of each policy, what of its `bytes_per_run` is gone already.
    """

    made: int
    now: int
    parts: list[Part]
    rate: int = 0
    spent: Mapping[str, Spent] = field(default_factory=dict)

    def chosen(self) -> Iterator[tuple[Candidate, str]]:
        """Every tape that is taken, in the order of the jobs, and why it is left for the next run."""
        choice = _Choice(self.parts, self.spent)
        lines = [line for part in self.parts if part.judge for line in part.judge.taken]
        lines.sort()
        for line in lines:
            candidate = unpacked(line)
            yield candidate, choice.later(candidate)

    def planned(self) -> Iterator[Planned]:
        """The same as jobs."""
        for candidate, later in self.chosen():
            policy = self.policy_of(candidate)
            job = job_of(candidate, policy, self.parts[candidate.host].host)
            yield Planned(job=job, opens=candidate.opens, later=later)

    def policy_of(self, candidate: Candidate) -> Policy:
        judge = self.parts[candidate.host].judge
        assert judge is not None
        return judge.policies[candidate.policy]

    @property
    def policies(self) -> dict[str, Policy]:
        """By name, as the first server that has it defines it, in the order they are asked."""
        found: dict[str, Policy] = {}
        for part in self.parts:
            for policy in part.judge.policies if part.judge else ():
                found.setdefault(policy.name, policy)
        return dict(sorted(found.items(), key=lambda item: item[1].rank))

    def tallies(self) -> dict[str, Tally]:
        """What each policy came to on all servers together."""
        sums = {name: Tally() for name in self.policies}
        for part in self.parts:
            if part.judge:
                for policy, tally in zip(part.judge.policies, part.judge.tallies, strict=True):
                    sums[policy.name].absorb(tally)
        return sums


def job_of(candidate: Candidate, policy: Policy, host: str) -> Job:
    """What is to be done with it. A restore's word is the token of its copy, a migration's makes it another job."""
    is_restore = policy.action == "restore"
    return Job(
        host=host,
        cartridge=candidate.path,
        action=policy.action,
        bytes=candidate.size,
        mtime=candidate.mtime,
        inode=candidate.inode,
        bma="" if policy.action == "erase" else policy.bma,
        policy=policy.name,
        options=policy.options,
        submit=policy.submit,
        checksum=policy.checksum and policy.action == "migrate",
        priority=policy.urgency,
        attempts=policy.attempts,
        backoff=policy.backoff,
        token=candidate.word if is_restore else "",
        copy=candidate.moves if is_restore else 0,
        nonce="" if is_restore else candidate.word,
    )


class _Choice:
    """Who of those taken goes in this run: `bytes_per_run` counts for a policy on all servers together."""

    def __init__(self, parts: Sequence[Part], spent: Mapping[str, Spent]) -> None:
        self._parts = parts
        self._moved = {name: gone.bytes for name, gone in spent.items()}
        self._listed = {name: gone.jobs for name, gone in spent.items()}
        self._over: dict[str, str] = {}
        self._moment: tuple[int, int] = (0, 0)
        self._files: dict[tuple[int, int, str], str] = {}

    def later(self, candidate: Candidate) -> str:
        return self._other_name(candidate) or self._no_bytes(candidate)

    def _other_name(self, candidate: Candidate) -> str:
        """A vault may be a link to another: then each of its tapes is seen by two names."""
        if self._moment != (candidate.mtime, candidate.host):
            self._moment, self._files = (candidate.mtime, candidate.host), {}
        file = (candidate.inode, candidate.size, candidate.path.rpartition("/")[2])
        other = self._files.setdefault(file, candidate.path)
        return (
            ""
            if other == candidate.path
            else f"the same file as {other} (inode, size and mtime): once is enough"
        )

    def _no_bytes(self, candidate: Candidate) -> str:
        """The first that does not fit ends it, so that a large tape is not put off for ever; alone it always goes."""
        judge = self._parts[candidate.host].judge
        assert judge is not None
        policy = judge.policies[candidate.policy]
        if self._is_listed(candidate, policy):
            return ""
        moved = self._moved.get(policy.name, 0)
        limit = policy.bytes_per_run
        if limit is not None and (policy.name in self._over or (moved and moved + candidate.moves > limit)):
            over = f"bytes_per_run of {policy.name} is {sized(limit)}, and {sized(moved)} go before it"
            return self._over.setdefault(policy.name, over)
        self._moved[policy.name] = moved + candidate.moves
        return ""

    def _is_listed(self, candidate: Candidate, policy: Policy) -> bool:
        """It is counted as spent, or has failed and will not be done again by itself: it takes nothing from the others."""
        known = self._listed.get(policy.name, frozenset())
        return bool(known) and job_of(candidate, policy, self._parts[candidate.host].host).id in known


@dataclass(kw_only=True)
class Total:
    """What one policy does on one server in this run, and what it leaves for the next."""

    policy: Policy
    host: str
    opens: int
    jobs: int = 0
    bytes: int = 0
    later: int = 0
    later_bytes: int = 0


def totals(plan: MigrationPlan) -> list[Total]:
    """By server, then in the order in which policies are asked."""
    found: dict[tuple[int, int], Total] = {}
    for candidate, later in plan.chosen():
        key = (candidate.host, candidate.policy)
        if key not in found:
            host = plan.parts[candidate.host].host
            found[key] = Total(policy=plan.policy_of(candidate), host=host, opens=candidate.opens)
        total = found[key]
        if later:
            total.later += 1
            total.later_bytes += candidate.moves
        else:
            total.jobs += 1
            total.bytes += candidate.moves
    return [found[key] for key in sorted(found)]


def demands(sums: Sequence[Total]) -> dict[tuple[str, str], Demand]:
    """What each policy wants of its drives, by its name and window: windows may differ from server to server."""
    found: dict[tuple[str, str], list[Total]] = {}
    for total in sums:
        if total.policy.action != "erase" and total.jobs:
            found.setdefault((total.policy.name, str(total.policy.window or "always")), []).append(total)
    return {key: _demand(rows) for key, rows in found.items()}


def _demand(rows: Sequence[Total]) -> Demand:
    """Where no limit of a server says so, one job at once is assumed there; else the smallest that is said holds."""
    policies = [row.policy for row in rows]
    return Demand(
        jobs=sum(row.jobs for row in rows),
        bytes=sum(row.bytes for row in rows),
        at_servers=sum(policy.per_host or 1 for policy in policies),
        per_bma=_smallest(policy.per_bma for policy in policies),
        per_drive=_smallest(policy.per_drive for policy in policies),
        has_drives=_smallest(policy.drives for policy in policies),
        window=policies[0].window,
    )


def _smallest(said: Iterable[int | None]) -> int | None:
    return min((number for number in said if number is not None), default=None)
