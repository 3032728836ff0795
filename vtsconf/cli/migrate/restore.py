"""`vtsconf migrate restore`: bring an erased tape back."""

from __future__ import annotations

from dataclasses import replace

import click

from vtsconf.cli import options


@click.command(epilog="Example: `vtsconf migrate restore vts1 /VAULT01/POOL1/TAPE001`.")
@click.argument("host")
@click.argument("cartridges", nargs=-1, required=True)
@click.option("--token", default="", metavar="TOKEN", help="This copy, not the last one.")
@click.option(
    "--attempts", type=click.IntRange(1, 100), default=5, show_default=True, help="How often to try."
)
@click.option("--no-wait", is_flag=True, help="Only put it on the list; a service that runs takes it first.")
@options.documents
@options.show
def command(
    host: str,
    cartridges: tuple[str, ...],
    token: str,
    attempts: int,
    no_wait: bool,
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Have CARTRIDGES (whole paths) restored into place on HOST, over their empty stubs.

    Restores go before migrations. When one fails, the empty stub is put back: VTS would mount a half-restored file.
    Where a service is at work on the same store it does the restore, and this command waits for it.
    """
    from vtsconf.cli.migrate import working
    from vtsconf.cli.migrate.lookon import bring_about
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.migrate.requests import restore_jobs

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    preparation = shop.prepare(host)
    work = working.Work(shop, {ready.name: ready for ready in preparation.ready}, quiet=as_json)
    jobs = restore_jobs(work.yard, work.book, host, cartridges, token, nonce=str(shop.now))
    jobs = [replace(job, attempts=attempts) for job in jobs]
    with work.ending(as_json=as_json), working.run_of(shop, "restore", work.ended) as run:
        work.book.add(run, jobs, shop.now)
        ids = [
            entry.id for entry in work.book.on_list(jobs)
        ]  # that of an earlier request, where it is on its way
        work.only = frozenset(ids)
        if not no_wait:
            bring_about(work, run, ids)
        entries = [entry for id_ in ids for entry in work.book.get(id_)]
        counts = work.book.standing(ids)
        course = work.pace(run).course() if no_wait else work.course
    if as_json:
        working.print_jobs(entries, counts, run, progress=course.to_json())
    elif no_wait:
        for entry in entries:
            working.tell(entry)
    return work.leave(working.exit_of(counts, is_away=bool(work.away())))
