"""`vtsconf migrate retry`: try again what ended badly."""

from __future__ import annotations

import click

from vtsconf.cli import options


@click.command(
    epilog="Examples: `vtsconf migrate retry 3fa9`, `vtsconf migrate retry --all`, `vtsconf migrate retry --bma tsm`."
)
@click.argument("jobs", nargs=-1)
@click.option(
    "--all", "everything", is_flag=True, help="Every job that failed, is unproven, parked or in doubt."
)
@click.option(
    "--bma", metavar="NAME", help="This backup application works again: its jobs are no longer parked."
)
@click.option("--policy", metavar="NAME", help="The same for a policy.")
@options.documents
@options.show
def command(
    jobs: tuple[str, ...],
    everything: bool,
    bma: str | None,
    policy: str | None,
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,  # noqa: ARG001 every command takes it
    color: str | None,
) -> int:
    """Let JOBS (first letters of their ids) wait for their turn again; `vtsconf migrate run` carries them out."""
    from vtsconf.cli.migrate import working
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.migrate.job import Status
    from vtsconf.engine.migrate.book import Book

    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    bad = [Status.FAILED, Status.UNPROVEN, Status.PARKED, Status.IN_DOUBT]
    chosen = (
        []
        if (bma or policy) and not (jobs or everything)
        else working.chosen(book, jobs, bad if everything else ())
    )
    for kind, name in (("bma", bma), ("policy", policy)):
        if name:
            book.relief((kind, name))
    book.retry([entry.id for entry in chosen], shop.now)
    working.said(shop, book, chosen, "job-asked-again", as_json=as_json)
    return 0
