"""`vtsconf rollout pause`: finish the servers in flight, begin nothing more."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import run_argument, why_option


@click.command(epilog="Example, from any terminal: `vtsconf rollout pause --why 'alarm in the tape room'`.")
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
    """Stop RUN from beginning another server, wherever its controller is. `vtsconf rollout resume` goes on."""
    from vtsconf.cli.rollout import shared
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.rollout import control

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    return shared.say(shop, run, lambda ledger: control.pause(ledger, shop.holder, why), as_json=as_json)
