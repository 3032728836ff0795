"""Takes back what a rollout has changed: the same plans reversed, as a run of their own that `history` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vtsconf.core.errors import VtsconfError
from vtsconf.core.outcome import RunOutcome
from vtsconf.core.plan import HostPlan, Plan, reversed_host
from vtsconf.core.problem import errors
from vtsconf.core.step import RunCommand
from vtsconf.engine.apply import HostResult
from vtsconf.engine.rollout.begin import at_once, begin
from vtsconf.engine.rollout.desk import Desk, Watch
from vtsconf.engine.rollout.document import result_of, results_of
from vtsconf.engine.rollout.driver import drive


def back_of(run: str) -> str:
    """The name of the run that takes `run` back. Always the same, so that it is found again after a crash."""
    return f"{run}-back"


def revert_hosts(hosts: Sequence[str], desk: Desk) -> None:
    """Each ends as reverted, or stays changed with the reason why."""
    rollout = desk.ledger.read()
    plans = {host: _reversed(host, rollout.seen.hosts[host], desk) for host in hosts}
    back = _back_desk(desk)
    if not back.ledger.read().seen.command:
        made = Plan(
            made=int(desk.now()),
            by=desk.holder,
            revision=rollout.seen.revision,
            reverses=desk.run,
            hosts=tuple(plan for plan in plans.values() if isinstance(plan, HostPlan)),
        )
        if made.hosts:
            begin(made, at_once(made, "rollback"), back)
    drive(back)
    ended = {result.host: result for result in results_of(back.ledger.read())}
    for host, plan in plans.items():
        if isinstance(plan, str):
            _note(host, RunOutcome.CHANGED, f"it stays: it cannot be taken back: {plan}", desk)
        elif host in ended:  # else this controller was told to stop: whoever goes on comes back to it
            _note_end(ended[host], desk)


def _note_end(result: HostResult, desk: Desk) -> None:
    if result.outcome is RunOutcome.CHANGED:
        _note(
            result.host,
            RunOutcome.REVERTED,
            f"taken back by run {back_of(desk.run)}, since the rollout stopped",
            desk,
        )
    else:
        told = f"it stays: taking it back came to {result.outcome}: {result.reason}"
        _note(result.host, RunOutcome.CHANGED, told, desk)


def _note(host: str, outcome: RunOutcome, reason: str, desk: Desk) -> None:
    stays = outcome is RunOutcome.CHANGED
    body: dict[str, Any] = {"outcome": outcome.value, "reason": reason, "stays": stays}
    desk.ledger.note(desk.ledger.event("host-settled", host, **body, **({} if stays else {"changes": 0})))
    desk.watch.done(result_of(host, desk.ledger.read().seen.hosts[host]))


def _back_desk(desk: Desk) -> Desk:
    name = back_of(desk.run)
    order = replace(desk.order, run=name, reverses=desk.run)
    watch = Watch(told=desk.watch.told, stop=desk.watch.stop)
    return Desk(
        run=name, order=order, journal=desk.journal, find_targets=desk.targets, now=desk.now,
        parallel=desk.parallel, watch=watch,
    )  # fmt: skip


def _reversed(host: str, entry: Mapping[str, object], desk: Desk) -> HostPlan | str:
    """The plan that takes this host back, or why there is none."""
    try:
        plan = reversed_host(desk.plan(host), str(entry.get("as") or desk.run))
    except VtsconfError as error:
        return str(error)
    stuck = [s.name for s in plan.steps if isinstance(s, RunCommand) and s.undo and not s.revert]
    if stuck:
        return f"commands without `revert`: {', '.join(stuck)}"
    from vtsconf.resources.lints.erase import changes_could_erase

    # Promise 11 holds backwards too: what was switched off would be switched on again.
    wrong = errors(changes_could_erase(plan.changes, None, (), host=host))
    return wrong[0].what if wrong else plan
