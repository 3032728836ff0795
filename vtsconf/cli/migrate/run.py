"""`vtsconf migrate run`: carry out what the policies call for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from vtsconf.cli import options
from vtsconf.core.migrate.job import Job

if TYPE_CHECKING:
    from vtsconf.cli.migrate.working import Work
    from vtsconf.engine.prepare import Preparation


@click.command(
    epilog="Examples: `vtsconf migrate plan`, `vtsconf migrate run`, `vtsconf migrate run -l vts1 --policy nightly`, "
    "`vtsconf migrate run --follow` (as a service: examples/service)."
)
@options.project
@click.option(
    "--policy", "only", multiple=True, metavar="NAME", help="Only this policy; several times for several."
)
@click.option(
    "--no-plan", is_flag=True, help="Only what waits already: jobs of earlier runs, retries, requests."
)
@click.option(
    "--follow", is_flag=True, help="Stay, and plan again every --every: a service. SIGTERM ends it cleanly."
)
@click.option("--every", metavar="DURATION", default="10m", show_default=True, help="With --follow.")
@options.allow_erase
@options.parallel
@options.show
def command(
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    only: tuple[str, ...],
    no_plan: bool,
    follow: bool,
    every: str,
    allow_erase: tuple[str, ...],
    parallel: int | None,
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Plan, then run the backup applications on the servers until nothing is left to do.

    A tape is done only when its BMA says so, the BMA's catalogue shows it with its size, and nobody has written to it
    meanwhile. The runs on the servers are detached: kill this command, start it again, and it goes on with them.
    """
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.duration import wait
    from vtsconf.engine import durable

    durable.warm()
    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    preparation = shop.prepare(limit)
    work = working.Work(shop, {ready.name: ready for ready in preparation.ready}, quiet=as_json)
    pause, planned = wait(every), [0.0]
    with working.run_of(shop, "migrate") as run:

        def plan() -> None:
            planned[0] = time.monotonic()
            added = work.book.add(run, _jobs(work, preparation, only, allow_erase, follows=follow), shop.now)
            if not as_json:
                click.echo(f"Run {run}: {len(added)} new {'job' if len(added) == 1 else 'jobs'}", err=True)

        listener = working.listener(work, run, quiet=as_json, allowed=allow_erase)

        def again() -> None:
            if follow:
                listener()
            if follow and not no_plan and time.monotonic() - planned[0] > pause:
                plan()

        if not no_plan:
            plan()
        work.until(lambda: not follow and work.is_idle, often=again)
        counts = work.book.counts(run)
        if as_json:
            working.print_jobs(list(work.book.entries(run=run)), counts, run)
        else:
            told = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
            click.echo(f"Run {run}: {told or 'nothing to do'}")
    return working.exit_of(counts)


def _jobs(
    work: Work, preparation: Preparation, only: tuple[str, ...], allowed: tuple[str, ...], *, follows: bool
) -> list[Job]:
    """What the policies call for now."""
    from vtsconf.engine.migrate.budget import spent_of
    from vtsconf.engine.migrate.planning import Question, plan_migrations

    now = work.shop.now
    question = Question(
        made=now,
        now=now,
        only=only,
        allowed=allowed,
        proofs=work.book.newest,
        spent=spent_of(work.book, {name: one.vts for name, one in work.ready.items()}, now, follows=follows),
        parallel=work.shop.settings.parallel,
    )
    plan = plan_migrations(preparation, work.shop.reach, question)
    for part in plan.parts:
        if part.outcome != "judged":
            click.echo(f"! {part.host}  {part.outcome}: {part.reason}", err=True)
    return [planned.job for planned in plan.planned() if not planned.later]
