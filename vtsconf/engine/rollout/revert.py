"""Takes back what a rollout has changed: the same plans reversed, as a run of their own that `history` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
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
from vtsconf.engine.rollout.wave import learn_all


def back_of(run: str, number: int = 1) -> str:
    """The name of the run that takes `run` back. Always the same, so that it is found again after a crash.

    `number` 2 and more: for servers of which it came out later that they had been changed.
    """
    return f"{run}-back{number if number > 1 else ''}"


def is_back(run: str) -> bool:
    """A run of this name took a rollout back."""
    return run.rpartition("-")[2].rstrip("0123456789") == "back"


def revert_hosts(hosts: Sequence[str], desk: Desk) -> None:
    """Each ends as reverted, or stays changed with the reason why; one that is left over is somebody's who goes on."""
    rollout = desk.ledger.read()
    left: dict[str, HostPlan] = {}
    for host in hosts:
        plan = _reversed(host, rollout.seen.hosts[host], desk)
        if isinstance(plan, HostPlan):
            left[host] = plan
        else:
            _note(host, RunOutcome.CHANGED, f"it stays: it cannot be taken back: {plan}", desk)
    for number in count(1):
        if not left or not _take_back(left, _back_desk(desk, number), desk):
            return


def _take_back(left: dict[str, HostPlan], back: Desk, desk: Desk) -> bool:
    """What is told of in the run that takes back leaves `left`. False: that run did not come to its end."""
    if not back.ledger.read().seen.command:
        revision = desk.ledger.read().seen.revision
        made = Plan(
            made=int(desk.now()), by=desk.holder, revision=revision, reverses=desk.run, hosts=tuple(left.values())
        )  # fmt: skip
        begin(made, at_once(made, "rollback"), back)
    halt = drive(back)
    learn_all(list(left), back)
    for result in results_of(back.ledger.read()):
        if left.pop(result.host, None):
            _note_end(result, back.run, desk)
    return halt.kind == "ended"


def _note_end(result: HostResult, back: str, desk: Desk) -> None:
    if result.outcome is RunOutcome.CHANGED:
        told = f"taken back by run {back}, since the rollout stopped"
        _note(result.host, RunOutcome.REVERTED, told, desk)
    else:
        told = f"it stays: taking it back came to {result.outcome}: {result.reason}"
        _note(result.host, RunOutcome.CHANGED, told, desk)


def _note(host: str, outcome: RunOutcome, reason: str, desk: Desk) -> None:
    stays = outcome is RunOutcome.CHANGED
    body: dict[str, Any] = {"outcome": outcome.value, "reason": reason, "stays": stays}
    desk.ledger.note(desk.ledger.event("host-settled", host, **body, **({} if stays else {"changes": 0})))
    desk.watch.done(result_of(host, desk.ledger.read().seen.hosts[host]))


def _back_desk(desk: Desk, number: int) -> Desk:
    name = back_of(desk.run, number)
    order = replace(desk.order, run=name, reverses=desk.run)
    watch = Watch(stop=desk.watch.stop)
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
