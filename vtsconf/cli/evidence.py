"""What the commands that write evidence share: where it goes, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from vtsconf.cli.options import Decorator

json_file = click.option(
    "--json-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the JSON document goes, to be kept with the page.",
)


def html(usual: str) -> Decorator:
    """The page's file; `usual`: how it is called when nobody says."""
    return click.option(
        "--html",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=f"Where the page goes.  [default: {usual} here]",
    )


def write(told: Mapping[str, Any], files: Callable[[], Iterable[Path]], *, as_json: bool) -> int:
    """Write the files; the document, or the verdict and the digest, on stdout."""
    from vtsconf.core.report.document import text

    for path in files():
        click.echo(f"written: {path}", err=True)
    if as_json:
        click.echo(text(told), nl=False)
    else:
        click.echo(told["verdict"])
        click.echo(f"digest of the data: {told['digest']}")
    return 0


def page_of(given: Path | None, usual: str, *, is_enough: bool) -> Path | None:
    """Where the page goes; None where another form was asked for, which is enough."""
    return given or (None if is_enough else Path(usual))
