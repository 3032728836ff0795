"""`vtsconf rollback`: take a run back. An armed change at once; a kept one as the same plan, reversed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from vtsconf.cli import options
from vtsconf.core.outcome import worst

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop


@click.command(
    epilog="Examples: `vtsconf rollback` (the last run), `vtsconf rollback 20261123-0624 -l vts1`, "
    "`vtsconf rollback --armed -l vts1`."
)
@click.argument("run", required=False)
@options.project
@click.option("--armed", is_flag=True, help="Take back what is armed and not confirmed yet, without asking.")
@options.allow_erase
@options.yes
@options.no_input
@options.show
def command(
    run: str | None,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    armed: bool,
    allow_erase: tuple[str, ...],
    yes: bool,
    no_input: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Take RUN back on the servers that it changed: live and desired swapped, with the same guards as `apply`.

    A server that was changed since is refused (exit 6): what came later is not thrown away unseen.
    """
    from vtsconf.cli import show
    from vtsconf.cli.changing import ask, change
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.prepare import Preparation
    from vtsconf.engine.undo import plan_to_undo

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    if armed:
        return _take_back(shop, limit, run, as_json=as_json)
    selected = {host.name for host in shop.project.hosts(limit)}
    plan = plan_to_undo(shop.journal, run, selected, now=shop.now, by=shop.holder, allowed=allow_erase)
    if not as_json:
        click.echo(f"To take back run {plan.reverses}:")
        show.show_plan(plan, verbose=verbose)
    if not yes:
        ask("Roll back?", no_input=no_input or not sys.stdin.isatty())
    return change(shop, plan, Preparation(), as_json=as_json, verbose=verbose)


def _take_back(shop: Shop, limit: str | None, run: str | None, *, as_json: bool) -> int:
    from vtsconf.cli import show
    from vtsconf.cli.armed import settle_all

    results = settle_all(shop, limit, run=run, keep=False)
    show.show_run(run or "", results, as_json=as_json)
    return worst(result.outcome.exit for result in results)
