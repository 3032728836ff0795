"""`vtsconf apply`: show the plan, ask, carry it out; or carry out a saved plan to the letter."""

from __future__ import annotations

from pathlib import Path

import click

from vtsconf.cli import options
from vtsconf.core.errors import Refused

_UNASKED = "give --yes, or apply a saved plan: vtsconf plan --out FILE, then vtsconf apply FILE"


@click.command(
    epilog="Examples: `vtsconf apply`, `vtsconf apply -l frankfurt -y`, `vtsconf apply change.json`, "
    "`vtsconf apply --confirm-within 5m`."
)
@click.argument("plan_file", required=False, type=click.Path(exists=True, dir_okay=False))
@options.project
@options.target
@options.parallel
@options.allow_erase
@options.confirm_within
@click.option(
    "--no-confirm",
    is_flag=True,
    help="Leave the change armed; keep it with `vtsconf confirm` in time. Exit 9.",
)
@options.yes
@options.no_input
@options.show
def command(
    plan_file: str | None,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    addresses: tuple[str, ...],
    parallel: int | None,
    allow_erase: tuple[str, ...],
    confirm_within: str | None,
    no_confirm: bool,
    yes: bool,
    no_input: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Bring the servers to what the documents say, or carry out PLAN_FILE to the letter.

    On each server: all or nothing, compared with the plan first, armed to take itself back, restarted, checked,
    verified, and kept only when a new connection still reaches it.
    """
    from vtsconf.cli import show
    from vtsconf.cli.changing import ask, change, load_plan, warn_of_extra
    from vtsconf.cli.planning import make_plan
    from vtsconf.cli.wiring import open_shop

    if as_json and not (yes or plan_file):
        raise Refused("with --json nobody is asked: the plan would not be seen", remedy=_UNASKED)
    shop = open_shop(inventory, extra, color=color, parallel=parallel, confirm_within=confirm_within)
    options.set_color(shop.settings.color)
    if plan_file:
        if addresses or allow_erase:
            raise click.UsageError(
                "a saved plan is carried out as it is: --target and --allow-erase are for `plan`"
            )
        warn_of_extra(shop.project)
        plan, preparation = load_plan(
            shop, Path(plan_file), limit, confirm_within=shop.settings.confirm_within
        )
    else:
        plan, preparation = make_plan(shop, limit, addresses=addresses, allowed=allow_erase, quiet=as_json)
        if not as_json:
            show.show_plan(plan, verbose=verbose)
    if any(host.has_work for host in plan.hosts) and not (yes or plan_file):
        ask("Apply?", no_input=no_input, declined="not applied", remedy=_UNASKED)
    return change(shop, plan, preparation, confirm=not no_confirm, as_json=as_json, verbose=verbose)
