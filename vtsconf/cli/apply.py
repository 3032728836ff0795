"""`vtsconf apply`: show the plan, ask, carry it out; or carry out a saved plan to the letter."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vtsconf.cli import options


@click.command(
    epilog="Examples: `vtsconf apply`, `vtsconf apply -l frankfurt -y`, `vtsconf apply change.json`, "
    "`vtsconf apply --confirm-within 5m`."
)
@click.argument("plan_file", required=False, type=click.Path(exists=True, dir_okay=False))
@options.project
@options.target
@options.parallel
@options.allow_erase
@click.option(
    "--confirm-within",
    metavar="DURATION",
    default=None,
    help="How long a server waits for the confirmation before it takes the change back: 30s, 10m.",
)
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
    from vtsconf.cli.changing import ask, change, load_plan
    from vtsconf.cli.planning import make_plan, plan_exit
    from vtsconf.cli.wiring import open_shop

    shop = open_shop(inventory, extra, color=color, parallel=parallel, confirm_within=confirm_within)
    options.set_color(shop.settings.color)
    if plan_file:
        if addresses or allow_erase:
            raise click.UsageError(
                "a saved plan is carried out as it is: --target and --allow-erase are for `plan`"
            )
        plan, preparation = load_plan(
            shop, Path(plan_file), limit, confirm_within=shop.settings.confirm_within
        )
    else:
        plan, preparation = make_plan(shop, limit, addresses=addresses, allowed=allow_erase, quiet=as_json)
        if not as_json:
            show.show_plan(plan, verbose=verbose)
    has_work = any(host.has_work for host in plan.hosts)
    if not has_work and not as_json:
        return plan_exit(plan, detailed=False)
    if has_work and not (yes or plan_file):
        ask("Apply?", no_input=no_input or not sys.stdin.isatty())
    return change(shop, plan, preparation, confirm=not no_confirm, as_json=as_json, verbose=verbose)
