"""`vtsconf init [DIR]`: a small project to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command(epilog="Example: vtsconf init vts && cd vts && vtsconf validate")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Write a small commented project into DIR (the current folder, when not given).

    It has an inventory with one server, variables of all servers, and places for your own tables and
    templates. A file that is already there is never touched.
    """
    from vtsconf.engine.starter import create

    for name, written in create(folder):
        click.echo(f"{'+' if written else '='} {name}{'' if written else '  (kept)'}")
    step = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"next: put your servers into inventory.yaml, then: {step}vtsconf validate", err=True)
