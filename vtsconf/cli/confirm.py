"""`vtsconf confirm`: keep an armed change, after the health checks."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.core.outcome import worst


@click.command(
    epilog="Example: `vtsconf apply --no-confirm -l vts1`, look at the server, `vtsconf confirm -l vts1`."
)
@click.argument("hosts", nargs=-1)
@options.project
@options.parallel
@click.option(
    "--run",
    "run",
    default=None,
    metavar="RUN",
    help="Only the change of this run (its first letters will do).",
)
@options.show
def command(
    hosts: tuple[str, ...],
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    run: str | None,
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Ask the health checks on servers with an armed change, and keep the change; a failing check takes it back.

    A change that has taken itself back before this came is told as such (exit 8).
    """
    from vtsconf.cli import show
    from vtsconf.cli.armed import common_run, settle_all
    from vtsconf.cli.wiring import open_shop

    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    results = settle_all(shop, _limit(hosts, limit), run=run, keep=True)
    show.show_run(common_run(results), results, as_json=as_json)
    return worst(result.outcome.exit for result in results)


def _limit(hosts: tuple[str, ...], limit: str | None) -> str | None:
    return ":".join(hosts) if hosts else limit
