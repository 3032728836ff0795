"""`vtsconf migrate abandon`: let a job be."""

from __future__ import annotations

import click

from vtsconf.cli import options


@click.command(epilog="Example: `vtsconf migrate abandon 3fa9`.")
@click.argument("jobs", nargs=-1, required=True)
@options.documents
@options.show
def command(
    jobs: tuple[str, ...],
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Take JOBS that ended badly, or wait, off the list. Nothing is done on a server; the tape stays as it is."""
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Refused
    from vtsconf.core.migrate.job import Status
    from vtsconf.engine.migrate.book import Book

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    chosen = working.chosen(book, jobs, ())
    if running := [entry.id[:8] for entry in chosen if entry.state == "taken"]:
        raise Refused(f"{', '.join(running)} runs", remedy="`vtsconf migrate cancel ID` ends it")
    over = [one for one in chosen if one.status in (Status.DONE, Status.CANCELLED) and not one.is_open]
    left = [one for one in chosen if one not in over]
    book.abandon([entry.id for entry in left], shop.now, f"abandoned by {shop.holder}")
    working.said(shop, book, left, "job-abandoned", as_json=as_json, over=over)
    return 0
