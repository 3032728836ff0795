"""`vtsconf migrate failed`: what did not come out well, and why."""

from __future__ import annotations

import click

from vtsconf.cli import options


@click.command(epilog="Example for cron: `vtsconf migrate failed --json`; exit 5 when there is one.")
@options.documents
@options.show
def command(
    inventory: str | None, extra: tuple[str, ...], as_json: bool, verbose: int, color: str | None
) -> int:
    """List jobs that failed, are unproven, parked or in doubt. None of them is tried again by itself."""
    from vtsconf.cli import show
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.migrate.job import Status
    from vtsconf.core.outcome import Exit
    from vtsconf.engine.migrate.book import Book

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    bad = [status for status in Status if status.is_bad]
    entries = list(book.entries(statuses=bad))
    if as_json:
        working.print_jobs(entries, book.counts())
    for entry in entries if not as_json else ():
        working.tell(entry)
        if verbose and entry.detail.get("said"):
            click.echo(f"      said: {show.reason(entry.detail['said'])}")
    if entries and not as_json:
        click.echo("`vtsconf migrate retry ID` tries one again, `abandon ID` lets it be", err=True)
    return Exit.PARTIAL if entries else Exit.DONE
