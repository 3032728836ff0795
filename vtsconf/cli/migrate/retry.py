"""`vtsconf migrate retry`: try again what ended badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vtsconf.cli import options

if TYPE_CHECKING:
    from vtsconf.cli.wiring import Shop
    from vtsconf.engine.migrate.book import Book


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
    bad = [status for status in Status if status.is_bad]
    chosen = (
        []
        if (bma or policy) and not (jobs or everything)
        else working.chosen(book, jobs, bad if everything else ())
    )
    named = [(kind, name) for kind, name in (("bma", bma), ("policy", policy)) if name]
    for kind, name in named:
        _known(shop, book, kind, name)
    for kind, name in named:
        told = _relieved(shop, book, kind, name)
        if not as_json:
            click.echo(told)
    book.retry([entry.id for entry in chosen], shop.now)
    working.said(shop, book, chosen, "job-asked-again", as_json=as_json)
    return 0


def _known(shop: Shop, book: Book, kind: str, name: str) -> None:
    """A misspelt name must not look like one that works again: neither the book nor the documents have it."""
    from vtsconf.core.errors import Usage
    from vtsconf.core.problem import suggestion

    if any((kind, name) == trouble[:2] for trouble in book.troubles()):
        return
    servers = [ready.vts for ready in shop.prepare(None).ready]
    names = {one for vts in servers for one in (vts.bma if kind == "bma" else vts.policies)}
    if name in names or any(name == getattr(entry.job, kind) for entry in book.entries()):
        return
    raise Usage(
        f"nobody knows a {'BMA' if kind == 'bma' else 'policy'} {name!r:.80}",
        remedy=suggestion(name, names) or "`vtsconf migrate status` says what is parked",
    )


def _relieved(shop: Shop, book: Book, kind: str, name: str) -> str:
    """Its failures are counted anew; what that means, in a sentence."""
    failures = sum(count for of, whose, count, *_ in book.troubles() if (of, whose) == (kind, name))
    book.relief((kind, name))
    is_parked = failures >= shop.settings.failures_in_a_row
    return f"{name} {'is no longer parked' if is_parked else 'was not parked'}"
