"""`vtsconf rollout report`: the evidence of a run, as a page for people and a document for programs."""

from __future__ import annotations

from pathlib import Path

import click

from vtsconf.cli import evidence, options


@click.command(
    epilog="Examples: `vtsconf rollout report`, `vtsconf rollout report 20261125-0900 "
    "--html CHG1234.html --json-file CHG1234.json`.",
)
@click.argument("run", required=False)
@evidence.html("rollout-RUN.html")
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
    """Write the evidence of RUN (its first letters will do; without it, of the last run).

    One HTML page that needs no network, to print or to attach, and with --json-file the same as a document.

    Any run has one: a rollout, an apply, a rollback, one that is paused or was cut off.
    """
    from vtsconf import __version__
    from vtsconf.cli.wiring import open_shop
    from vtsconf.engine.report import gather, write_report

    shop = open_shop(inventory, color=color)
    options.set_color(shop.settings.color)
    told = gather(shop.journal, run, now=shop.now, by=shop.holder, version=__version__)
    page = evidence.page_of(html, f"rollout-{told['run']}.html", is_enough=bool(as_json or json_file))
    return evidence.write(told, lambda: write_report(told, html=page, json_file=json_file), as_json=as_json)
