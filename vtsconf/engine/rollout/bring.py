"""Brings one server of a rollout to its end, exactly once: whoever asks, and however often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vtsconf.core.connection import Target
from vtsconf.core.errors import VtsconfError, bug
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.engine.apply import HostResult, change_host
from vtsconf.engine.collect import endpoint
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.document import entry_of, result_of
from vtsconf.engine.settle import settle_host


def bring(host: str, wave: int, desk: Desk) -> HostResult | None:
    """Change a server, or learn how that ended. None: it was not begun, because the rollout is to stop.

    What another controller began, and did not live to end, is settled first; a server that took itself back
    since nobody confirmed is changed again, under the next name.
    """
    rollout = desk.ledger.read()
    if rollout.outcome(host) not in ("", "in doubt"):
        return result_of(host, rollout.seen.hosts[host])
    tried = str(rollout.seen.hosts[host].get("as", "")) if rollout.is_active(host) else ""
    if tried and (ended := _guarded(host, desk, lambda plan, at: _settle(plan, at, desk, tried))):
        return finish(ended, desk)
    if not desk.may_begin():
        return None
    name = next_name(desk.run, tried)
    try:
        desk.ledger.write(desk.ledger.event("host-started", host, **{"as": name}, wave=wave, by=desk.holder))
    except VtsconfError as error:
        return finish(HostResult(host=host, outcome=RunOutcome.FAILED, reason=f"not begun: {error}"), desk)
    made = _guarded(host, desk, lambda plan, at: change_host(plan, at, replace(desk.order, run=name)))
    assert made
    return finish(made, desk)


def settle(host: str, desk: Desk) -> HostResult:
    """The end of a server that was begun, in a run that stops: never begun again, and kept only if the run keeps."""
    rollout = desk.ledger.read()
    tried, keep = str(rollout.seen.hosts[host].get("as", desk.run)), not rollout.reverts
    ended = _guarded(host, desk, lambda plan, at: _settle(plan, at, desk, tried, keep=keep))
    reason = "it took itself back: its controller was gone"
    return finish(ended or HostResult(host=host, outcome=RunOutcome.REVERTED, reason=reason), desk)


def learn(host: str, desk: Desk) -> HostResult | None:
    """How a server ended that was lost in the middle; None while it still cannot be asked."""
    rollout = desk.ledger.read()
    tried, keep = str(rollout.seen.hosts[host].get("as", desk.run)), not rollout.reverts
    ended = _guarded(host, desk, lambda plan, at: _settle(plan, at, desk, tried, keep=keep))
    if ended and ended.outcome is RunOutcome.UNREACHABLE:
        return None
    reason = "it was lost in the middle, and took itself back"
    result = ended or HostResult(host=host, outcome=RunOutcome.REVERTED, reason=reason)
    desk.ledger.note(desk.ledger.event("host-settled", host, **entry_of(result, desk.run)))
    return result


def _settle(plan: HostPlan, target: Target, desk: Desk, name: str, *, keep: bool = True) -> HostResult | None:
    return settle_host(plan, target, replace(desk.order, run=name), keep=keep)


def next_name(run: str, tried: str) -> str:
    """The run's name on a server for the next try: RUN, RUN-2, RUN-3 …"""
    if not tried:
        return run
    count = tried.removeprefix(run).lstrip("-")
    return f"{run}-{int(count or 1) + 1}"


def finish(result: HostResult, desk: Desk) -> HostResult:
    """Write down how a server ended."""
    desk.ledger.note(desk.ledger.event("host-finished", result.host, **entry_of(result, desk.run)))
    return result_of(result.host, desk.ledger.read().seen.hosts[result.host])


def _guarded(
    host: str, desk: Desk, work: Callable[[HostPlan, Target], HostResult | None]
) -> HostResult | None:
    """A bug of ours, or documents that are wrong, on one host must not stop the others."""
    try:
        plan = desk.plan(host)
        if plan.outcome not in (PlanOutcome.CHANGES, PlanOutcome.IN_SYNC):
            return change_host(plan, Target(name=host), desk.order)
        target = desk.targets([host]).get(host)
        refusal = _refusal(plan, target)
        if target is None or refusal:
            return HostResult(host=host, outcome=RunOutcome.REFUSED, reason=refusal)
        made: HostResult | None = work(plan, target)
    except VtsconfError as error:
        return HostResult(host=host, outcome=RunOutcome.REFUSED, reason=str(error), remedy=error.remedy)
    except Exception as error:  # noqa: BLE001 see above
        return HostResult(host=host, outcome=RunOutcome.FAILED, reason=bug(error))
    return made


def _refusal(plan: HostPlan, target: Target | None) -> str:
    if target is None:
        return "this plan speaks of a host that is not in the inventory"
    if plan.has_work and plan.endpoint != endpoint(target):
        return f"this plan was made for {plan.endpoint}; the inventory says {endpoint(target)}"
    return ""
