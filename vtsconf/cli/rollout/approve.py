"""`vtsconf rollout approve`: let the next wave begin."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import run_argument, why_option


@click.command(epilog="Example: `vtsconf rollout approve --why 'canary looks good, CHG0012345'`.")
@run_argument
@why_option
@options.documents
@options.show
def command(
    run: str | None,
    why: str,
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Approve the wave that RUN waits for. Who approved is in the journal and in the report, as user@controller.

    Where the strategy asks for four eyes, whoever started the rollout cannot approve it.
    """
    from vtsconf.cli.rollout import shared
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.rollout import control

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    return shared.say(shop, run, lambda ledger: control.approve(ledger, shop.holder, why), as_json=as_json)
