"""`vtsconf rollback`: take a run back. An armed change at once; a kept one as the same plan, reversed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from vtsconf.cli import options
from vtsconf.core.errors import Locked, Refused
from vtsconf.core.outcome import worst

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop


@click.command(
    epilog="Examples: `vtsconf rollback` (the last run), `vtsconf rollback 20261123-0624 -l vts1`, "
    "`vtsconf rollback --armed -l vts1`."
)
@click.argument("run", required=False)
@options.project
@options.parallel
@click.option("--armed", is_flag=True, help="Take back what is armed and not confirmed yet, without asking.")
@options.allow_erase
@options.confirm_within
@options.yes
@options.no_input
@options.show
def command(
    run: str | None,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    armed: bool,
    allow_erase: tuple[str, ...],
    confirm_within: str | None,
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
    from vtsconf.cli.armed import learn_ends
    from vtsconf.cli.changing import ask, change
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.prepare import Preparation
    from vtsconf.engine.undo import plan_to_undo

    shop = open_shop(inventory, extra, color=color, parallel=parallel, confirm_within=confirm_within)
    options.set_color(shop.settings.color)
    if as_json and not (yes or armed):
        raise Refused(
            "with --json nobody is asked, and a rollback needs a yes",
            remedy="look at `vtsconf history RUN`, then give --yes",
        )
    if armed:
        return _take_back(shop, limit, run, as_json=as_json)
    selected = {host.name for host in shop.project.hosts(limit)}
    _refuse_armed(learn_ends(shop, selected, run))
    plan = plan_to_undo(shop.journal, run, selected, now=shop.now, by=shop.holder, allowed=allow_erase)
    for late, by in _passed_over(shop, plan.reverses, selected) if not run else ():
        click.echo(f"note: run {late} was already taken back by {by}; name it to do so again", err=True)
    if within := shop.settings.confirm_within:
        plan = replace(plan, hosts=tuple(replace(host, confirm_within=within) for host in plan.hosts))
    if not as_json:
        click.echo(f"To take back run {plan.reverses}:")
        show.show_plan(plan, verbose=verbose)
    if not yes:
        ask("Roll back?", no_input=no_input, declined="not rolled back")
    return change(shop, plan, Preparation(), as_json=as_json, verbose=verbose)


def _passed_over(shop: Shop, chosen: str, hosts: Collection[str]) -> list[tuple[str, str]]:
    """Later runs than the chosen one, of which nothing is left on these hosts."""
    from vtsconf.engine.undo import taken_back

    runs = shop.journal.runs()
    back = {run: by for (run, host), by in taken_back(runs).items() if host in hosts}
    names = [run.run for run in runs]
    return [(run, back[run]) for run in names[names.index(chosen) + 1 :] if run in back]


def _refuse_armed(armed: Mapping[str, str]) -> None:
    """What is armed was not kept: it needs no rollback of a kept run, and would only stand in its way."""
    if armed:
        hosts = ":".join(sorted(armed))
        raise Locked(
            f"run {', '.join(sorted(set(armed.values())))} is armed on {hosts} and not confirmed yet",
            remedy=f"`vtsconf rollback --armed -l {hosts}` takes it back at once",
        )


def _take_back(shop: Shop, limit: str | None, run: str | None, *, as_json: bool) -> int:
    from vtsconf.cli import show
    from vtsconf.cli.armed import common_run, settle_all

    results = settle_all(shop, limit, run=run, keep=False)
    show.show_run(common_run(results), results, as_json=as_json)
    return worst(result.outcome.exit for result in results)
