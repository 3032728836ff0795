"""`vtsconf migrate report`: the evidence of a run of jobs, as a page for people and a document for programs."""

from __future__ import annotations

from pathlib import Path

import click

from vtsconf.cli import options


@click.command(
    epilog="Examples: `vtsconf migrate report`, `vtsconf migrate report 20261125-0900 "
    "--html night.html --json-file night.json`."
)
@click.argument("run", required=False)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the page goes.  [default: migration-RUN.html here]",
)
@click.option(
    "--json-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the JSON document goes, to be kept with the page.",
)
@options.json_flag
@options.inventory
@options.color
def command(
    run: str | None,
    html: Path | None,
    json_file: Path | None,
    as_json: bool,
    inventory: str | None,
    color: str | None,
) -> int:
    """Write the evidence of RUN (its first letters will do; without it, of the last run of jobs).

    Who ran it and when; what was archived, with its witnesses; what was not, and why; what to do now.

    One HTML page that needs no network, to print or to attach, and with --json-file the same as a document.
    """
    from vtsconf import __version__
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.report.document import text
    from vtsconf.core.report.migrationview import page
    from vtsconf.engine.migrate.book import Book
    from vtsconf.engine.migrate.reporting import gather
    from vtsconf.engine.report import write_report
    from vtsconf.engine.share import template

    shop = open_shop(inventory, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    told = gather(shop.journal, book, run, now=shop.now, by=shop.holder, version=__version__)
    where = html or (None if as_json or json_file else Path(f"migration-{told['run']}.html"))
    for path in write_report(told, html=where, json_file=json_file, make=lambda one: page(one, template)):
        click.echo(f"written: {path}", err=True)
    if as_json:
        click.echo(text(told), nl=False)
    else:
        click.echo(told["verdict"])
        click.echo(f"digest of the data: {told['digest']}")
    return 0
