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

    The executor that runs them does so, within a moment.
    """
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.migrate.job import Status
    from vtsconf.engine.migrate.book import Book

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    chosen = working.chosen(
        book, jobs, [status for status in Status if not status.is_final] if everything else ()
    )
    over = [entry for entry in chosen if entry.state == "ended"]
    left = [entry for entry in chosen if entry.state != "ended"]
    book.ask_cancel([entry.id for entry in left], shop.now)
    working.said(shop, book, left, "job-cancel-asked", as_json=as_json, over=over)
    return 0
