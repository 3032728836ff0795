"""`vtsconf migrate report`: the evidence of a run of jobs, as a page for people and a document for programs."""

from __future__ import annotations

from pathlib import Path

import click

from vtsconf.cli import evidence, options


@click.command(
    epilog="Examples: `vtsconf migrate report`, `vtsconf migrate report 20261125-0900 "
    "--html night.html --json-file night.json`."
)
@click.argument("run", required=False)
@evidence.html("migration-RUN.html")
@evidence.json_file
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
    from vtsconf.core.report.migrationview import page
    from vtsconf.engine.migrate.book import Book
    from vtsconf.engine.migrate.reporting import gather
    from vtsconf.engine.report import write_report
    from vtsconf.engine.share import template

    shop = open_shop(inventory, color=color)
    options.set_color(shop.settings.color)
    book = Book(shop.settings.store)
    told = gather(shop.journal, book, run, now=shop.now, by=shop.holder, version=__version__)
    where = evidence.page_of(html, f"migration-{told['run']}.html", is_enough=bool(as_json or json_file))

    def files() -> list[Path]:
        return list(write_report(told, html=where, json_file=json_file, make=lambda one: page(one, template)))

    return evidence.write(told, files, as_json=as_json)
