"""`vtsconf rollout abort`: end it, and take back what was changed, or keep it."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import lines_option, run_argument, why_option


@click.command(
    epilog="Examples: `vtsconf rollout abort --revert --why 'wrong night'`, `vtsconf rollout abort --keep`."
)
@run_argument
@click.option(
    "--revert/--keep",
    "revert",
    default=None,
    help="Take back what was changed, or leave it.  [default: as the strategy's on_failure says]",
)
@why_option
@options.documents
@options.parallel
@options.yes
@options.no_input
@lines_option
@options.show
def command(
    run: str | None,
    revert: bool | None,
    why: str,
    inventory: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    yes: bool,
    no_input: bool,
    as_lines: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """End RUN: servers in flight are finished, those never tried are skipped, all are free again.

    The controller that leads it does so; where none is left, this one.
    """
    from vtsconf.cli.changing import ask
    from vtsconf.cli.rollout import leading, shared
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Locked
    from vtsconf.engine.rollout import control

    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    desk = leading.desk_for(shop, shared.find(shop, run))
    if not yes:
        ask(f"End rollout {desk.run}?", no_input=no_input, declined="not aborted")
    control.abort(desk.ledger, shop.holder, why, revert=revert)
    shared.wake(shop, desk.ledger)
    try:
        return leading.lead(shop, desk, as_json=as_json, as_lines=as_lines, verbose=verbose)
    except Locked:
        return leading.watch(shop, desk, as_json=as_json, as_lines=as_lines, verbose=verbose)
