"""One run in this process, to its end: what `apply` and `rollback` do. A rollout with one wave, and nothing asked."""

from __future__ import annotations

from vtsconf.core.plan import Plan
from vtsconf.engine.apply import HostResult
from vtsconf.engine.rollout.begin import at_once, begin, idle
from vtsconf.engine.rollout.desk import Desk
from vtsconf.engine.rollout.document import results_of
from vtsconf.engine.rollout.driver import drive, finish


def carry_out(plan: Plan, desk: Desk, command: str) -> list[HostResult]:
    """Change every host of the plan that has work; each ends in exactly one outcome, in the plan's order.

    Where no host has work there is no run: the journal does not hear of it. Raises VtsconfError when it cannot be
    written down at all: then nothing was begun.
    """
    if any(host.has_work for host in plan.hosts):
        begin(plan, at_once(plan, command), desk)
        if drive(desk).kind != "ended":
            finish("stopped", desk.ledger.trouble, desk)
        return results_of(desk.ledger.read())
    results = idle(plan, desk)
    for result in results:
        desk.watch.done(result)
    return results
