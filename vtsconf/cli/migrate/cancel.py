"""`vtsconf migrate cancel`: end jobs that wait or run."""

from __future__ import annotations

import click

from vtsconf.cli import options


@click.command(epilog="Examples: `vtsconf migrate cancel 3fa9`, `vtsconf migrate cancel --all`.")
@click.argument("jobs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every job that waits or runs.")
@options.documents
@options.show
def command(
    jobs: tuple[str, ...],
    everything: bool,
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """End JOBS: those that wait at once, those that run by the backup application's own cancel command.

    The executor that runs them does so, within its next look at the server.
    """
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.migrate.job import Status
    from vtsconf.engine.migrate.book import Book

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    chosen = [entry for word in jobs for entry in working.one(book, word)]
    if everything:
        chosen += book.entries(statuses=[status for status in Status if not status.is_final])
    book.ask_cancel([entry.id for entry in chosen], shop.now)
    again = [entry for was in chosen for entry in book.get(was.id)]
    if as_json:
        working.print_jobs(again, book.counts())
    for entry in again if not as_json else ():
        working.tell(entry, "is asked to end" if entry.wish else "")
    return 0
