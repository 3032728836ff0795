"""`vtsconf drift`: is every server what the documents say? For cron: quiet when yes, exit 2 when no."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.core.outcome import PlanOutcome


@click.command(epilog="Example for cron: `vtsconf drift -i /srv/vts/inventory.yaml || mail …`")
@options.project
@options.parallel
@options.show
def command(
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Compare the servers with the documents. Exit 0: the same; 2: one differs. Changes nothing."""
    from vtsconf.cli import show
    from vtsconf.cli.planning import make_plan, plan_exit
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core import plan as plans

    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    plan, _ = make_plan(shop, limit, quiet=True)
    if as_json:
        show.print_json({**plans.to_json(plan), "format": "vtsconf/drift/1"})
    elif verbose or any(host.outcome is not PlanOutcome.IN_SYNC for host in plan.hosts):
        show.show_plan(plan, verbose=verbose)
    return plan_exit(plan, detailed=True)
