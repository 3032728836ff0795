"""`vtsconf rollout resume`: go on after a pause, or after the controller was killed."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import lines_option, run_argument, wait_option, why_option


@click.command(
    epilog="Examples: `vtsconf rollout resume`, `vtsconf rollout resume 20261123-0624 --why 'drive replaced'`."
)
@run_argument
@why_option
@options.documents
@options.parallel
@wait_option
@lines_option
@options.show
def command(
    run: str | None,
    why: str,
    inventory: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    wait: bool,
    as_lines: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Settle first what was in the middle, then go on; no server that has ended is touched again.

    A gate that was inconclusive is asked again.
    """
    from vtsconf.cli.rollout import leading, shared
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine import durable
    from vtsconf.engine.rollout import control
    from vtsconf.engine.rollout.begin import hold

    durable.warm()
    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    desk = leading.desk_for(shop, shared.find(shop, run))
    control.alive(desk.ledger)
    hold(desk)
    return leading.lead(shop, desk, as_json=as_json, as_lines=as_lines, verbose=verbose, wait=wait, why=why)
