"""`vtsconf migrate run`: carry out what the policies call for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from vtsconf.cli import options, show

if TYPE_CHECKING:
    from vtsconf.core.migrate.left import Left
    from vtsconf.engine.migrate.book import Entry


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
@click.option(
    "--every",
    metavar="DURATION",
    callback=options.waits,
    default="10m",
    show_default=True,
    help="With --follow: 30s, 10m, at most 4h.",
)
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
    from vtsconf.cli.migrate.beside import Planner, listeners
    from vtsconf.cli.migrate.plan import known
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.duration import wait
    from vtsconf.core.errors import Locked
    from vtsconf.core.outcome import Exit, worst
    from vtsconf.engine import durable

    durable.warm()
    shop = open_shop(inventory, extra, color=color, parallel=parallel)
    options.set_color(shop.settings.color)
    preparation = shop.prepare(limit)
    known(only, preparation)
    work = working.Work(shop, {ready.name: ready for ready in preparation.ready}, quiet=as_json)
    work.allowed = frozenset(allow_erase)
    pause = wait(every)
    with work.ending(as_json=as_json), working.run_of(shop, "migrate", work.ended) as run:
        planner = Planner(
            work=work, preparation=preparation, run=run, only=only, allowed=allow_erase, follows=follow
        )
        beside = [*listeners(work, run, allow_erase)] if follow else []
        if follow and not no_plan:
            beside.append(planner.every(pause))
        elif not no_plan:
            planner()
        try:
            work.until(lambda: not follow and work.is_idle, beside=beside)
        except Locked as error:
            raise Locked(str(error), remedy=_remedy(work.book.counts(run))) from error
        others = [entry for entry in work.ended.values() if entry.run != run]
        counts = Counter(work.book.counts(run)) + Counter(entry.status.value for entry in others)
        left = work.left()
        if as_json:
            more: dict[str, object] = {
                "progress": work.course.to_json(),
                "known": planner.known,
                "hosts": planner.hosts,
                "left": [one.to_json() for one in left],
            }
            working.print_jobs([*work.book.entries(run=run), *others], counts, run, **more)
        else:
            _tell(run, work.book.counts(run), others, is_left=bool(left))
            for one in left:
                _tell_left(one, shop.now)
    ended = working.exit_of(counts, is_away=bool(work.away()))
    waits = [Exit.WAITING] if shop.stop.is_set or left else []
    return work.leave(worst([ended, *planner.exits, *waits]))


def _tell(run: str, counts: Mapping[str, int], others: Sequence[Entry], *, is_left: bool) -> None:
    """How many jobs stand where; those of earlier runs that were brought to an end apart."""
    told = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    click.echo(f"Run {run}: {told or ('no jobs of its own' if others or is_left else 'nothing to do')}")
    if others:
        earlier = Counter(entry.status.value for entry in others)
        click.echo(f"of earlier runs: {', '.join(f'{n} {status}' for status, n in sorted(earlier.items()))}")


def _tell_left(left: Left, now: int) -> None:
    """What stays on the list, and what to do for it."""
    click.echo(f"{show.paint('?' if left.parked is None else '!')} {left.told(now)}")
    if left.parked:
        click.echo(f"      to do: {left.parked.remedy}")


def _remedy(counts: Mapping[str, int]) -> str:
    """Another executor is at work on the store: nothing of what was planned is lost."""
    jobs = sum(counts.values())
    it, are = ("it", "job is") if jobs == 1 else ("them", "jobs are")
    kept = f"its {jobs} new {are} on the list, and that executor takes {it}"
    return (
        f"nothing: {kept if jobs else 'that executor takes what is on the list'}; `vtsconf migrate status` shows how far it "
        "is. For several at a time set `store` to postgresql://…"
    )
