"""What `plan`, `apply` and `drift` share: make a plan with progress, and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vtsconf.cli.progress import Progress
from vtsconf.cli.wiring import Shop
from vtsconf.core.errors import Usage
from vtsconf.core.outcome import Exit, PlanOutcome, worst
from vtsconf.core.plan import Plan

if TYPE_CHECKING:
    from vtsconf.engine.prepare import Preparation


def make_plan(
    shop: Shop,
    limit: str | None,
    *,
    addresses: Sequence[str] = (),
    allowed: Sequence[str] = (),
    quiet: bool = False,
) -> tuple[Plan, Preparation]:
    """Judge, read and compare the selected hosts. Raises Usage for none."""
    preparation = prepared(shop, limit)
    from vtsconf.engine.aim import aimed, noted
    from vtsconf.engine.collect import Wish
    from vtsconf.engine.migrate.recorded import recorded
    from vtsconf.resources.lints.unproven import erases_by_itself

    preparation = aimed(noted(preparation, allowed), addresses)
    wish = Wish(
        addresses=tuple(addresses),
        allowed=allowed,
        confirm_within=shop.settings.confirm_within,
        recorded=recorded(
            shop.settings.store, [one.name for one in preparation.ready if erases_by_itself(one.subject())]
        ),
    )
    with Progress("reading", len(preparation.ready), quiet=quiet) as progress:
        plan = shop.plan(preparation, wish, done=progress.done)
    return plan, preparation


def prepared(shop: Shop, limit: str | None) -> Preparation:
    """Judge the documents of the selected hosts. Raises Usage for none: a broken inventory is no good news."""
    preparation = shop.prepare(limit)
    if not (preparation.ready or preparation.invalid):
        raise Usage(
            f"no host is selected: {shop.project.source} has none",
            remedy="`vtsconf inventory` shows what is read from it",
        )
    return preparation


def plan_exit(plan: Plan, *, detailed: bool) -> Exit:
    """The worst host decides; changes count only when asked."""
    exits = [
        Exit.CHANGES if detailed and host.outcome is PlanOutcome.CHANGES else host.outcome.exit
        for host in plan.hosts
    ]
    return worst(exits)
