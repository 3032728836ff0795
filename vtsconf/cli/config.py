"""`vtsconf config show`: the project's settings, and which source won."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from vtsconf.cli import options
from vtsconf.cli.options import set_color
from vtsconf.cli.show import print_json
from vtsconf.core.duration import spelled
from vtsconf.core.printable import printable
from vtsconf.engine.project import find_inventory
from vtsconf.engine.settings import helps, is_time, read_settings, redacted


@click.group(epilog="Example: `vtsconf config show`.")
def command() -> None:
    """Show the project settings."""


@command.command(
    epilog="Examples: `vtsconf config show`, `vtsconf config show -v`, `vtsconf config show --json`."
)
@options.inventory
@options.parallel
@options.show
def show(inventory: str | None, parallel: int | None, as_json: bool, verbose: int, color: str | None) -> None:
    """Show every setting with its value and the source that won."""
    set_color(color)
    _, settings = read_settings(
        find_inventory(inventory).parent,
        flags={"parallel": parallel, "color": color},
        environ=os.environ,
        home=Path.home(),
    )
    if as_json:
        shown = {name: {"value": _open(name, s.value), "origin": s.origin} for name, s in settings.items()}
        print_json({"format": "vtsconf/settings/1", "settings": shown})
        return
    for name, setting in settings.items():
        value = "" if setting.value is None else printable(_written(name, setting.value))
        click.echo(f"{click.style(name, bold=True)} = {value or '–'}  ({setting.origin})")
        if verbose:
            click.echo(f"    {helps()[name]}")


def _open(name: str, value: Any) -> Any:
    """What may be shown of a value."""
    return redacted(value) if name == "store" else value


def _written(name: str, value: Any) -> str:
    """A value as a person would write it."""
    return spelled(value) if is_time(name) else str(_open(name, value))
