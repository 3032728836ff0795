"""One run over several hosts: the journal hears of every host before and after, and ^C leaves nothing half done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from vtsconf.core import plan as plans
from vtsconf.core.connection import Target
from vtsconf.core.errors import VtsconfError, bug
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.core.runs import Event
from vtsconf.engine.apply import HostResult, Order, change_host
from vtsconf.engine.collect import endpoint
from vtsconf.engine.fan import Stop, fan
from vtsconf.engine.journal import Journal

FORMAT = "vtsconf/run/1"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who wants to know, while it goes on."""

    done: Callable[[HostResult], None] = field(default=lambda _result: None)
    stop: Stop = field(default_factory=Stop)


def carry_out(
    plan: Plan,
    targets: Mapping[str, Target],
    order: Order,
    journal: Journal,
    *,
    now: Callable[[], int],
    command: str,
    parallel: int,
    watch: Watch,
) -> list[HostResult]:
    """Change every host of the plan that has work; each ends in exactly one outcome, in the plan's order.

    Where no host has work there is no run: the journal does not hear of it.
    """
    order = replace(order, reverses=plan.reverses)
    is_run = any(host.has_work for host in plan.hosts)
    if is_run:
        _begin(plan, order, journal, now(), command)

    def work(host: HostPlan) -> HostResult:
        try:
            if host.has_work:
                journal.add(Event(at=now(), run=order.run, host=host.host, action="host-started"))
        except VtsconfError as error:
            return HostResult(host=host.host, outcome=RunOutcome.FAILED, reason=f"not begun: {error}")
        return record(_guarded(host, targets, order))

    def skipped(host: HostPlan) -> HostResult:
        reason = "the run was stopped before it"
        return record(HostResult(host=host.host, outcome=RunOutcome.SKIPPED, reason=reason))

    def record(result: HostResult) -> HostResult:
        return _noted(result, journal, _finished(result, order.run, now())) if is_run else result

    results: dict[str, HostResult] = {}
    for host, result in fan(plan.hosts, work, parallel=parallel, stop=watch.stop, skipped=skipped):
        results[host.host] = result
        watch.done(result)
    in_order = [results[host.host] for host in plan.hosts]
    if not is_run:
        return in_order
    end = Event(at=now(), run=order.run, action="run-finished", body=summary(in_order))
    return [*in_order[:-1], *(_noted(last, journal, end) for last in in_order[-1:])]


def _noted(result: HostResult, journal: Journal, event: Event) -> HostResult:
    """Tell the journal. If that fails, what happened on the server has happened: the report says both."""
    try:
        journal.add(event)
    except VtsconfError as error:
        return replace(result, reason=f"{result.reason}; {error}".removeprefix("; "))
    return result


def _begin(plan: Plan, order: Order, journal: Journal, now: int, command: str) -> None:
    for host in plan.hosts:
        if host.has_work:
            alone = Plan(made=plan.made, by=plan.by, revision=plan.revision, hosts=(host,))
            journal.keep_plan(order.run, host.host, json.dumps(plans.to_json(alone)))
    body = {
        "command": command,
        "by": order.holder,
        "revision": plan.revision,
        "reverses": plan.reverses,
        "hosts": [host.host for host in plan.hosts],
    }
    journal.add(Event(at=now, run=order.run, action="run-started", body=body))


def _guarded(host: HostPlan, targets: Mapping[str, Target], order: Order) -> HostResult:
    if host.outcome not in (PlanOutcome.CHANGES, PlanOutcome.IN_SYNC):
        return change_host(host, Target(name=host.host), order)
    target = targets.get(host.host)
    refusal = _refusal(host, target)
    if target is None or refusal:
        return HostResult(host=host.host, outcome=RunOutcome.REFUSED, reason=refusal)
    try:
        return change_host(host, target, order)
    except Exception as error:  # noqa: BLE001 a bug of ours on one host must not stop the others
        return HostResult(host=host.host, outcome=RunOutcome.FAILED, reason=bug(error))


def _refusal(host: HostPlan, target: Target | None) -> str:
    if target is None:
        return "this plan speaks of a host that is not in the inventory"
    if host.has_work and host.endpoint != endpoint(target):
        return f"this plan was made for {host.endpoint}; the inventory says {endpoint(target)}"
    return ""


def _finished(result: HostResult, run: str, now: int) -> Event:
    return Event(at=now, run=run, host=result.host, action="host-finished", body=result_json(result, run))


def result_json(result: HostResult, run: str) -> dict[str, Any]:
    """A host's entry in the document of `run`."""
    entry = asdict(result)
    entry["run"] = result.run or run
    entry["debts"] = list(result.debts)
    return entry


def summary(results: Any) -> dict[str, int]:
    """How many hosts ended in which outcome."""
    results = list(results)
    counts = {o.value: sum(1 for r in results if r.outcome is o) for o in RunOutcome}
    return {"hosts": len(results), **counts, "changes": sum(r.changes for r in results)}


def to_json(run: str, results: Sequence[HostResult]) -> dict[str, Any]:
    """The run document."""
    return {
        "format": FORMAT,
        "run": run,
        "hosts": [result_json(r, run) for r in results],
        "summary": summary(results),
    }
