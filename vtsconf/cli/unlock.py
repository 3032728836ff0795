"""`vtsconf unlock`: remove the lock of a run that died."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vtsconf.cli import options
from vtsconf.core.outcome import Exit, worst

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.engine.prepare import Ready

_EXITS = {
    "unlocked": Exit.DONE,
    "none": Exit.DONE,
    "alive": Exit.LOCKED,
    "armed": Exit.LOCKED,
    "invalid": Exit.INVALID,
    "unreachable": Exit.UNREACHABLE,
}


@click.command(epilog="Example: `vtsconf unlock vts1`.")
@click.argument("hosts", nargs=-1, required=True)
@options.inventory
@options.extra
@click.option(
    "--force", is_flag=True, help="Also a lock whose process still lives. Never one with an armed change."
)
@options.show
def command(
    hosts: tuple[str, ...],
    inventory: str | None,
    extra: tuple[str, ...],
    force: bool,
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Remove the lock on HOSTS. A lock that protects an armed change stays: confirm it or roll it back."""
    from vtsconf.cli import show
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.fan import fan

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    preparation = shop.prepare(":".join(hosts))

    def work(ready: Ready) -> tuple[str, str]:
        return _unlock(shop, ready, force=force)

    done = fan(preparation.ready, work, parallel=shop.settings.parallel)
    answers = {ready.name: answer for ready, answer in done}
    answers |= {host.host: ("invalid", host.reason) for host in preparation.invalid}
    if as_json:
        entries = [{"host": host, "outcome": word, "reason": why} for host, (word, why) in answers.items()]
        show.print_json({"format": "vtsconf/unlock/1", "hosts": entries})
    for host, (word, why) in answers.items() if not as_json else ():
        click.echo(f"{show.paint('=' if word in ('unlocked', 'none') else '!')} {host}  {why or word}")
    return worst(
        _EXITS.get(word, Exit.INVALID if word == "invalid" else Exit.UNREACHABLE)
        for word, _ in answers.values()
    )


def _unlock(shop: Shop, ready: Ready, *, force: bool) -> tuple[str, str]:
    from vtsconf.core.errors import VtsconfError

    try:
        server = shop.reach(ready.target)
        try:
            answer = server.unlock(ready.vts.state_dir, force=force)
        finally:
            server.close()
    except VtsconfError as error:
        return "unreachable", str(error)
    return answer.outcome, answer.reason
