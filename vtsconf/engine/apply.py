"""Carries out one host's part of a plan: change, verify, confirm over a new connection, or take back.

Every way it can end is a `HostResult`; nothing is raised, so that the other hosts go on.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from vtsconf.core import live
from vtsconf.core.connection import Target
from vtsconf.core.content import Content
from vtsconf.core.errors import Refused, Unreachable, VtsconfError
from vtsconf.core.outcome import PlanOutcome, RunOutcome
from vtsconf.core.plan import Health, HostPlan
from vtsconf.core.probe import Probe, Query, ReadFile, Reading
from vtsconf.core.secret import FingerprintKey, Secrets
from vtsconf.core.step import PutFile, RunCommand
from vtsconf.engine.reach import Reach
from vtsconf.transport.server import Applied, Confirmed, Server, Transaction

_AGAIN = "the server was changed since the plan was made: make the plan again"
HEALTH_TIMEOUT = 60  # seconds, each check
IN_DOUBT = "in doubt: armed change"


@dataclass(frozen=True, kw_only=True)
class HostResult:
    """How one host ended. `detail` is what a failing command printed; `debts` services still to be restarted."""

    host: str
    outcome: RunOutcome
    reason: str = ""
    detail: str = ""
    remedy: str = ""
    changes: int = 0
    seconds: float = 0.0
    debts: tuple[str, ...] = ()
    run: str = ""  # which run it speaks of, where that is not the one under way


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run is carried out with; the same for all of its hosts."""

    run: str
    holder: str
    reach: Reach
    secrets_of: Callable[[HostPlan], Secrets]  # raises Invalid when one cannot be had
    fingerprints: Callable[[], FingerprintKey]
    confirm: bool = True
    reverses: str = ""  # the run that is taken back
    on_event: Callable[[str, str], None] = field(default=lambda _host, _event: None)
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def change_host(plan: HostPlan, target: Target, order: Order) -> HostResult:
    """Do exactly what the plan says on one server."""
    start = order.clock()
    ended = _change(plan, target, order)
    return replace(
        ended,
        changes=len(plan.changes) if ended.outcome in (RunOutcome.CHANGED, RunOutcome.WAITING) else 0,
        seconds=round(order.clock() - start, 3),
    )


_UNPLANNED = {
    PlanOutcome.UNREACHABLE: RunOutcome.UNREACHABLE,
    PlanOutcome.LOCKED: RunOutcome.LOCKED,
    PlanOutcome.INVALID: RunOutcome.REFUSED,
    PlanOutcome.ERROR: RunOutcome.FAILED,
}


def _change(plan: HostPlan, target: Target, order: Order) -> HostResult:
    if plan.outcome in _UNPLANNED:
        return HostResult(host=plan.host, outcome=_UNPLANNED[plan.outcome], reason=plan.reason)
    if not plan.has_work:
        return HostResult(host=plan.host, outcome=RunOutcome.UNCHANGED)
    try:
        secrets = order.secrets_of(plan)
        _check_secrets(plan, secrets, order)
        server = order.reach(target)
    except Unreachable as error:
        return HostResult(
            host=plan.host, outcome=RunOutcome.UNREACHABLE, reason=str(error), remedy=error.remedy
        )
    except VtsconfError as error:
        return HostResult(host=plan.host, outcome=RunOutcome.REFUSED, reason=str(error), remedy=error.remedy)
    try:
        return _transact(plan, target, order, server, secrets)
    finally:
        server.close()


def _check_secrets(plan: HostPlan, secrets: Secrets, order: Order) -> None:
    """A secret that was changed since the plan was made is not what was agreed to."""
    for step in plan.steps:
        if isinstance(step, PutFile) and step.after and _is_ours(step.after.content):
            assert step.after.content
            made = order.fingerprints().digest(step.after.content.resolve(secrets))
            if made != step.after.digest:
                refs = ", ".join(str(r) for r in step.after.content.secrets)
                raise Refused(
                    f"a secret of {step.path} is not the one that the plan was made with ({refs})",
                    remedy="make the plan again",
                )


def _is_ours(content: Content | None) -> bool:
    """It has secrets, all of which we can resolve here; the server compares those that only it knows."""
    return bool(content and content.secrets and not live.paths([content]))


def _transact(plan: HostPlan, target: Target, order: Order, server: Server, secrets: Secrets) -> HostResult:
    transaction = transaction_of(plan, order)
    try:
        applied = server.apply(transaction, secrets, lambda event: order.on_event(plan.host, event))
    except Unreachable as error:
        return doubt(plan, str(error))
    except VtsconfError as error:
        return HostResult(host=plan.host, outcome=RunOutcome.REFUSED, reason=str(error), remedy=error.remedy)
    if applied.outcome != "armed":
        return _not_armed(plan, applied, order)
    if wrong := unlike(plan, applied.reading, order):
        server.close()
        return _take_back(plan, target, order, f"verification: {wrong}")
    if not order.confirm:
        return HostResult(
            host=plan.host,
            outcome=RunOutcome.WAITING,
            reason=f"armed: takes itself back unless confirmed within {plan.confirm_within} s",
            remedy=f"vtsconf confirm {plan.host}",
            debts=applied.debts,
        )
    server.close()
    return _confirm(plan, target, order, applied)


def transaction_of(plan: HostPlan, order: Order) -> Transaction:
    """The server's view of a host's plan."""
    return Transaction(
        host=plan.host,
        run=order.run,
        holder=order.holder,
        state_dir=plan.state_dir,
        base=plan.base,
        steps=plan.steps,
        restarts=plan.restarts,
        services=plan.services,
        confirm_within=plan.confirm_within,
        probes=verification(plan),
    )


def verification(plan: HostPlan) -> tuple[Probe, ...]:
    files = [ReadFile(step.path) for step in plan.steps if isinstance(step, PutFile)]
    checks = [
        Query(f"commands/{step.name}/check", step.check, step.timeout)
        for step in plan.steps
        if isinstance(step, RunCommand)
    ]
    return (*files, *checks)


def unlike(plan: HostPlan, reading: Reading | None, order: Order) -> str:
    """What the server shows that the plan does not say; "" when all is as planned."""
    if reading is None:
        return "the server showed nothing"
    for step in plan.steps:
        if isinstance(step, PutFile) and not _file_is(step, reading, order):
            return f"{step.path} is not what was put there"
        if isinstance(step, RunCommand):
            seen = reading.queries.get(f"commands/{step.name}/check")
            if seen is None or (seen.exit == 0) == step.undo:
                return f"the check of command {step.name} {'still passes' if step.undo else 'still fails'}"
    return ""


def _file_is(step: PutFile, reading: Reading, order: Order) -> bool:
    seen, after = reading.files[step.path], step.after
    if after is None or seen.data is None:
        return after is None and seen.data is None
    digest = order.fingerprints().digest(seen.data) if after.keyed else seen.digest
    return (
        digest == after.digest
        and seen.mode == after.mode
        and after.owner in ("", seen.owner)
        and after.group in ("", seen.group)
    )


_ENDINGS: Mapping[str, RunOutcome] = {
    "stale": RunOutcome.STALE,
    "locked": RunOutcome.LOCKED,
    "failed": RunOutcome.FAILED,
    "reverted": RunOutcome.REVERTED,
}


def _not_armed(plan: HostPlan, applied: Applied, order: Order) -> HostResult:
    outcome = _ENDINGS.get(applied.outcome, RunOutcome.FAILED)
    reason = applied.reason
    if outcome is RunOutcome.LOCKED and applied.lock:
        reason = f"locked by {applied.lock.holder}, run {applied.lock.run}"
    remedy = {
        RunOutcome.STALE: _later(plan, order) if order.reverses else _AGAIN,
        RunOutcome.LOCKED: "wait for it, or see `vtsconf unlock`",
    }.get(outcome, "")
    if applied.outcome == "broken":
        remedy = by_hand(plan.host)
    return HostResult(
        host=plan.host,
        outcome=outcome,
        reason=reason,
        detail=applied.detail,
        remedy=remedy,
        debts=applied.debts,
    )


def _later(plan: HostPlan, order: Order) -> str:
    return (
        f"{plan.host} was changed since run {order.reverses}, or that run is not there any more: take later runs back "
        f"first (`vtsconf history -l {plan.host}`), or write what you want into the documents and apply"
    )


def by_hand(host: str) -> str:
    """What to do where a change could not be taken back whole."""
    return (
        f"look at {host} (the old bytes are in its state directory under backup/); then `vtsconf rollback --armed "
        f"-l {host}` tries again, or `vtsconf unlock --force {host}` leaves it as it is"
    )


def doubt(plan: HostPlan, why: str) -> HostResult:
    return HostResult(
        host=plan.host,
        outcome=RunOutcome.UNREACHABLE,
        reason=f"{IN_DOUBT}: {why}",
        remedy=f"if it was armed it takes itself back within {plan.confirm_within} s; "
        f"`vtsconf plan -l {plan.host}` shows what is there",
    )


def _again(plan: HostPlan, target: Target, order: Order, ask: Callable[[Server], Confirmed]) -> Confirmed:
    """Ask over a new connection; while time to confirm is left, a connection that fails is tried again."""
    deadline = order.clock() + 0.7 * plan.confirm_within
    wait = 0.5
    while True:
        try:
            server = order.reach(target)
            try:
                return ask(server)
            finally:
                server.close()
        except Unreachable:
            if order.clock() + wait > deadline:
                raise
            order.on_event(plan.host, "confirming: no connection yet, trying again")
            order.pause(wait)
            wait = min(wait * 2, 8.0)


def _confirm(plan: HostPlan, target: Target, order: Order, applied: Applied) -> HostResult:
    order.on_event(plan.host, "confirming")
    try:
        answer = _again(plan, target, order, lambda server: ask_health(plan, order, server))
    except VtsconfError as error:
        return doubt(plan, f"it could not be confirmed: {error}")
    return concluded(plan, answer, debts=applied.debts)


def concluded(plan: HostPlan, answer: Confirmed, *, debts: tuple[str, ...]) -> HostResult:
    """What the server says of an armed change, as a result."""
    if answer.outcome == "confirmed":
        return HostResult(host=plan.host, outcome=RunOutcome.CHANGED, debts=debts)
    if answer.outcome == "reverted":
        return HostResult(
            host=plan.host,
            outcome=RunOutcome.REVERTED,
            reason=answer.reason,
            detail=said(answer),
            debts=debts,
        )
    return HostResult(
        host=plan.host,
        outcome=RunOutcome.FAILED,
        reason=f"{answer.outcome}: {answer.reason}",
        detail=said(answer),
        remedy=by_hand(plan.host) if answer.outcome == "broken" else "",
    )


def ask_health(plan: HostPlan, order: Order, server: Server) -> Confirmed:
    """The site's health checks, those of the controller first; then keep the change."""
    for health in plan.health:
        if health.on == "controller" and not ask_here(health, plan.host, order.run):
            return server.revert(order.run, f"health check {health.name} failed", plan.state_dir)
    questions = [Query(h.name, h.run, HEALTH_TIMEOUT) for h in plan.health if h.on == "server"]
    return server.confirm(order.run, questions, plan.state_dir, order.holder)


def ask_here(health: Health, host: str, run: str) -> bool:
    """A health check that runs on the controller; VTSCONF_HOST and VTSCONF_RUN are in its environment."""
    environment = {**os.environ, "VTSCONF_HOST": host, "VTSCONF_RUN": run}
    try:
        done = subprocess.run(
            health.run,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=HEALTH_TIMEOUT,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def said(answer: Confirmed) -> str:
    """What the check that failed, or the command that could not be taken back, printed."""
    failing = [seen for _, seen in answer.health if seen.exit != 0]
    return failing[-1].text[-2000:] if failing else answer.detail[-2000:]


def _take_back(plan: HostPlan, target: Target, order: Order, reason: str) -> HostResult:
    try:
        answer = _again(plan, target, order, lambda s: s.revert(order.run, reason, plan.state_dir))
    except VtsconfError as error:
        return doubt(plan, f"{reason}; it takes itself back: {error}")
    if answer.outcome == "reverted":
        return HostResult(host=plan.host, outcome=RunOutcome.REVERTED, reason=reason, detail=said(answer))
    left = answer.reason.removesuffix(f" ({reason})") or f"the server answers {answer.outcome!r}"
    return HostResult(
        host=plan.host,
        outcome=RunOutcome.FAILED,
        reason=f"{reason}; {left}",
        detail=said(answer),
        remedy=by_hand(plan.host),
    )
