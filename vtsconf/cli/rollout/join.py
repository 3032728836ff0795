"""`vtsconf rollout join`: take servers of a rollout's waves too, from another machine."""

from __future__ import annotations

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import lines_option, run_argument


@click.command(
    epilog="Example: on a second controller with the same `store: postgresql://…`: `vtsconf rollout join`."
)
@run_argument
@options.documents
@options.parallel
@lines_option
@options.show
def command(
    run: str | None,
    inventory: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    as_lines: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Change servers of RUN from here as well, and take it over when the controller that leads it dies.

    Needs a store in PostgreSQL. ^C: what this controller has begun is finished, the others go on;
    where it leads by then, the rollout is paused.
    """
    from vtsconf.cli.rollout import leading, shared
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Refused
    from vtsconf.engine import durable

    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    desk = leading.desk_for(shop, shared.find(shop, run))
    if not desk.shares:
        raise Refused(
            "with a store in SQLite one controller does all the work",
            remedy="set `store` to postgresql://… for several controllers",
        )
    durable.warm()
    return leading.join(shop, desk, as_json=as_json, as_lines=as_lines, verbose=verbose)
