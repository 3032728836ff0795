"""`vtsconf rollout start`: carry a saved plan out, wave by wave."""

from __future__ import annotations

from pathlib import Path

import click

from vtsconf.cli import options
from vtsconf.cli.rollout.shared import lines_option, wait_option

_UNASKED = "look at it with `vtsconf rollout start PLAN --strategy NAME --show`, then give --yes"


@click.command(
    epilog="Examples: `vtsconf plan --out friday.json`, `vtsconf rollout start friday.json --strategy canary`, "
    "`vtsconf rollout start friday.json --strategy rollouts/night.yaml -y --why CHG0012345`."
)
@click.argument("plan_file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--strategy",
    "strategy_name",
    required=True,
    metavar="NAME|FILE",
    help="canary, careful, all-at-once, a name in rollouts/, or a YAML file.",
)
@click.option("--show", "only_show", is_flag=True, help="Show the waves and what would be asked; do nothing.")
@click.option("--why", default="", metavar="TEXT", help="For the journal and the report: a reason, a ticket.")
@options.project
@options.parallel
@options.confirm_within
@wait_option
@options.yes
@options.no_input
@lines_option
@options.show
def command(
    plan_file: str,
    strategy_name: str,
    only_show: bool,
    why: str,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    parallel: int | None,
    confirm_within: str | None,
    wait: bool,
    yes: bool,
    no_input: bool,
    as_lines: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """Change the servers of PLAN_FILE in the waves of a strategy, asking its gates after each wave.

    Exit 0: all done; 9: paused, or it waits (for an approval or a window with --no-wait); else the worst server decides.
    It survives its controller: after a crash or ^C, `vtsconf rollout resume` goes on without repeating a server.
    """
    from vtsconf.cli.changing import ask, load_plan, warn_of_extra
    from vtsconf.cli.rollout import leading
    from vtsconf.cli.rollout.outline import show_course
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Refused
    from vtsconf.core.outcome import worst
    from vtsconf.engine import durable
    from vtsconf.engine.rollout.begin import begin
    from vtsconf.engine.rollout.course import course_of

    if not only_show:
        durable.warm()
    shop = open_shop(inventory, extra, color=color, parallel=parallel, confirm_within=confirm_within)
    options.set_color(shop.settings.color)
    if (as_json or as_lines) and not (yes or only_show):
        raise Refused("with --json or --lines nobody is asked", remedy=_UNASKED)
    warn_of_extra(shop.project)
    plan, _ = load_plan(shop, Path(plan_file), limit, confirm_within=shop.settings.confirm_within)
    course = course_of(plan, strategy_name, shop.project, why=why)
    if only_show or not (as_json or as_lines):
        show_course(plan, course, as_json=as_json, verbose=verbose)
    if only_show:
        return 0
    if not course.waves:
        click.echo("Nothing is to be done on these servers.", err=True)
        return worst(host.outcome.exit for host in plan.hosts)  # one that could not be planned is not done
    if not yes:
        ask("Start?", no_input=no_input, declined="not started", remedy=_UNASKED)
    desk = leading.desk_for(shop, shop.new_run(), course.strategy)
    return leading.lead(
        shop, desk, as_json=as_json, as_lines=as_lines, verbose=verbose, wait=wait,
        begin=lambda: begin(plan, course, desk),
    )  # fmt: skip
