"""`vtsconf confirm`: keep an armed change, after the health checks."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.core.outcome import Exit, RunOutcome, worst


@click.command(
    epilog="Example: `vtsconf apply --no-confirm -l vts1`, look at the server, `vtsconf confirm -l vts1`."
)
@click.argument("hosts", nargs=-1)
@options.project
@click.option("--run", "run", default=None, metavar="RUN", help="Only the change of this run.")
@options.show
def command(
    hosts: tuple[str, ...],
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    run: str | None,
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Ask the health checks on servers with an armed change, and keep the change; a failing check takes it back."""
    from vtsconf.cli import show
    from vtsconf.cli.armed import settle_all
    from vtsconf.cli.wiring import open_shop

    shop = open_shop(inventory, extra, color=color)
    show.set_color(shop.settings.color)
    results = settle_all(shop, _limit(hosts, limit), run=run, keep=True)
    if as_json:
        from vtsconf.engine import run as runs

        show.print_json(runs.to_json(run or "", results))
    for result in results if not as_json else ():
        show.show_result(result)
    if all(result.outcome is RunOutcome.UNCHANGED for result in results):
        click.echo("nothing is armed on these servers", err=True)
    return worst(result.outcome.exit for result in results) or Exit.DONE


def _limit(hosts: tuple[str, ...], limit: str | None) -> str | None:
    return ":".join(hosts) if hosts else limit
