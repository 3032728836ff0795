"""`vtsconf rollout status`: where rollouts stand, and what they wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import lines_option, run_argument

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop


@click.command(
    epilog="Examples: `vtsconf rollout status`, `vtsconf rollout status 20261123-0624 --json`, "
    "`vtsconf rollout status --follow`."
)
@run_argument
@options.documents
@click.option("--follow", is_flag=True, help="Tell what happens until it ends or pauses; ^C leaves it alone.")
@click.option(
    "-n", "count", type=click.IntRange(1), default=10, metavar="N", help="The last N.  [default: 10]"
)
@lines_option
@options.show
def command(
    run: str | None,
    inventory: str | None,
    extra: tuple[str, ...],
    follow: bool,
    count: int,
    as_lines: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Show one RUN with its waves, gates and servers, or the last rollouts. Exit as `rollout start` would."""
    from vtsconf.cli import show
    from vtsconf.cli.rollout import leading, shared
    from vtsconf.cli.rollout.outline import show_rollout
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.rollout import status

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    if follow:
        desk = leading.desk_for(shop, shared.find(shop, run))
        return leading.watch(shop, desk, as_json=as_json, as_lines=as_lines, verbose=verbose, from_start=True)
    if as_lines:
        from vtsconf.cli.rollout.follow import Follower

        return status.exit_of(Follower(shop.journal, shared.find(shop, run), "lines").poll())
    if run is None:
        return _list(shop, count, as_json=as_json)
    rollout = shared.ledger_of(shop, shared.find(shop, run)).read()
    if as_json:
        show.print_json(status.to_json(rollout, int(time.time())))
    else:
        show_rollout(rollout, verbose=verbose)
    return status.exit_of(rollout)


def _list(shop: Shop, count: int, *, as_json: bool) -> int:
    from vtsconf.cli import show
    from vtsconf.cli.rollout import shared
    from vtsconf.engine.rollout import status

    now = int(time.time())
    names = shared.rollouts(shop)[-count:]
    found = [shared.ledger_of(shop, name).read() for name in names]
    if as_json:
        heads = [status.head(rollout, now) for rollout in found]
        show.print_json({"format": "vtsconf/rollouts/1", "rollouts": heads})
        return 0
    for rollout in found:
        for line in status.sentences(rollout, now):
            click.echo(line)
    if not found:
        click.echo("No rollout yet: `vtsconf rollout start PLAN --strategy canary` begins one.", err=True)
    return 0
