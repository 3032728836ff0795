"""The plan as the JSON document `vtsconf/migration-plan/1`; times in seconds since 1970, sizes in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from vtsconf.core import problem
from vtsconf.core.migrate.histogram import Histogram, of_ages, of_sizes
from vtsconf.core.migrate.judge import Judge, Tally
from vtsconf.core.migrate.plan import MigrationPlan, Part, Planned, Total, demands, totals
from vtsconf.core.migrate.policy import Policy
from vtsconf.core.migrate.schedule import estimate
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.migrate.warn import left, shadows, warnings
from vtsconf.core.migrate.why import Verdict, Why
from vtsconf.core.migrate.words import reason

FORMAT = "vtsconf/migration-plan/1"


def plan_document(plan: MigrationPlan, decisions: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The whole document. Of many tapes it is written piece by piece instead: `head`, decisions, `tail`."""
    planned = [(row, job_row(row)) for row in plan.planned()]
    return head(plan) | {
        "decisions": list(decisions),
        "jobs": [row for one, row in planned if not one.later],
        "later": [row for one, row in planned if one.later],
        **tail(plan),
    }


def head(plan: MigrationPlan) -> dict[str, Any]:
    """What is known before a tape was seen."""
    return {"format": FORMAT, "made": plan.made, "now": plan.now}


def decisions(judge: Judge, tape: Tape, host: str, *, each: bool = True) -> Iterator[dict[str, Any]]:
    """What each policy says of a tape; not `each`: the one that takes it, or the one that came closest to."""
    found = list(judge.verdicts(tape))
    if not each and found:
        found = [next((one for one in found if one[1] is Why.TAKEN), max(found, key=lambda one: one[1]))]
    for policy, why, first in found:
        text = reason(policy, why, tape, proof=judge.proof_of(tape.path), now=judge.now, first=first)
        row = {"host": host, "cartridge": tape.path, "policy": policy.name, "verdict": why.verdict.value}
        yield row | {"reason": text, "code": why.name.lower()}


def job_row(planned: Planned) -> dict[str, Any]:
    """A job with the moment its window opens, and the bytes that move (`bytes` is what the tape has now)."""
    row = planned.job.to_json() | {"opens": planned.opens}
    return row | {"reason": planned.later} if planned.later else row


def tail(plan: MigrationPlan) -> dict[str, Any]:
    """What is known when every tape was seen."""
    sums, told = totals(plan), warnings(plan)
    tallies = plan.tallies()
    return {
        "rules": [_rule(plan, policy, tallies[name]) for name, policy in plan.policies.items()],
        "totals": [_total(total) for total in sums],
        "estimates": list(_estimates(plan, sums)),
        "warnings": [asdict(warning) | {"examples": list(warning.examples)} for warning in told],
        "histograms": _histograms(plan),
        "hosts": [_host(part) for part in plan.parts],
        "summary": _summary(plan, sums),
    }


def _host(part: Part) -> dict[str, Any]:
    tapes = part.judge.tapes if part.judge else 0
    problems = [problem.to_json(one) for one in part.problems]
    return {
        "host": part.host,
        "outcome": part.outcome,
        "reason": part.reason,
        "tapes": tapes,
        "problems": problems,
    }


def _rule(plan: MigrationPlan, policy: Policy, tally: Tally) -> dict[str, Any]:
    return {
        "policy": policy.name,
        "action": policy.action,
        "bma": policy.bma or None,
        "priority": policy.urgency,
        "window": str(policy.window) if policy.window else None,
        "opens": policy.opens(plan.now),
        "matched": tally.matched,
        "taken": tally.taken,
        "bytes": tally.bytes,
        "sparse": tally.sparse,
        "shadowed": tally.counts[Why.SHADOWED],
        "shadowed_by": shadows(tally),
        "left": {why.name.lower(): count for why, count in left(tally)},
        "unknown": sum(n for why, n in left(tally) if why.verdict is Verdict.UNKNOWN),
        "circle": list(next((p.circles[policy.name] for p in plan.parts if policy.name in p.circles), ())),
    }


def _total(total: Total) -> dict[str, Any]:
    return {
        "host": total.host,
        "policy": total.policy.name,
        "window": str(total.policy.window) if total.policy.window else None,
        "opens": total.opens,
        "jobs": total.jobs,
        "bytes": total.bytes,
        "later": total.later,
        "later_bytes": total.later_bytes,
    }


def _estimates(plan: MigrationPlan, sums: list[Total]) -> Iterator[dict[str, Any]]:
    for (name, window), demand in demands(sums).items():
        row: dict[str, Any] = {"policy": name, "window": window, "jobs": demand.jobs, "bytes": demand.bytes}
        row |= {"at_once": demand.lanes, "drives": demand.drives, "assumed_rate": plan.rate or None}
        if plan.rate:
            made = estimate(demand, plan.rate, plan.now)
            row |= {"ends": made.ends, "openings": [asdict(opening) for opening in made.openings]}
        yield row


def _histograms(plan: MigrationPlan) -> dict[str, Any]:
    found = histograms(plan)
    return {name: histogram.to_json() for name, histogram in found.items()}


def histograms(plan: MigrationPlan) -> dict[str, Histogram]:
    """Ages and sizes of all tapes that were seen."""
    ages, sizes = of_ages(), of_sizes()
    for part in plan.parts:
        if part.judge:
            ages.absorb(part.judge.ages)
            sizes.absorb(part.judge.sizes)
    return {"ages": ages, "sizes": sizes}


def _summary(plan: MigrationPlan, sums: list[Total]) -> dict[str, Any]:
    judges = [part.judge for part in plan.parts if part.judge]
    by_action = {
        action: sum(t.jobs for t in sums if t.policy.action == action)
        for action in ("migrate", "restore", "erase")
    }
    return {
        "hosts": len(plan.parts),
        "unreachable": sum(part.outcome == "unreachable" for part in plan.parts),
        "tapes": sum(judge.tapes for judge in judges),
        "bytes": sum(judge.bytes for judge in judges),
        "sparse": sum(judge.sparse for judge in judges),
        "jobs": sum(by_action.values()),
        **by_action,
        "moves": sum(total.bytes for total in sums),
        "later": sum(total.later for total in sums),
        "drives": sum(demand.drives for demand in demands(sums).values()),
        "wanted_twice": sum(judge.wanted_twice.count for judge in judges),
        "unwanted": sum(judge.unwanted.count for judge in judges),
        "unknown": sum(judge.unknown.count for judge in judges),
    }
