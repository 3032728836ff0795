"""The flags that several commands share, under the names people know from Ansible and Terraform."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _all(*options: Decorator) -> Decorator:
    """Several decorators as one, in the order they are to be listed by `--help`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def colored(choice: str | None) -> bool | None:
    """Whether to colour: the flag, then NO_COLOR and CI; None leaves it to the terminal."""
    match choice:
        case "always":
            return True
        case "never":
            return False
    return False if "NO_COLOR" in os.environ or "CI" in os.environ else None


def set_color(choice: str | None) -> None:
    """For everything that this command prints."""
    if (context := click.get_current_context(silent=True)) is not None:
        context.color = colored(choice)


inventory = click.option(
    "-i",
    "--inventory",
    "inventory",
    envvar="VTSCONF_INVENTORY",
    default=None,
    metavar="FILE",
    help="Inventory: YAML, the JSON of `ansible-inventory --list`, or a program that prints it."
    "  [default: inventory.yaml here]",
)
limit = click.option(
    "-l",
    "--limit",
    default=None,
    metavar="PATTERN",
    help="Only these hosts: group, host, glob, `!x`, `a:&b`, `vts[1:3]`.",
)
extra = click.option(
    "-e",
    "--extra-vars",
    "extra",
    multiple=True,
    metavar="KEY=VALUE",
    help="A variable that wins over all others (or @FILE).",
)
json_flag = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
verbose = click.option("-v", "--verbose", count=True, help="Say more; also shows notes.")
color = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default=None,
    expose_value=True,
    help="Colours; NO_COLOR and CI are honoured.  [default: auto]",
)
parallel = click.option(
    "-p",
    "--parallel",
    type=click.IntRange(1, 500),
    default=None,
    metavar="N",
    help="Servers at once.  [default: 50]",
)


def waits(_context: click.Context, _parameter: click.Parameter, written: str | None) -> str | None:
    """A wrong time is told before anything is read."""
    from vtsconf.core.duration import wait

    try:
        return written if written is None else str(wait(written)) + "s"
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


confirm_within = click.option(
    "--confirm-within",
    metavar="DURATION",
    callback=waits,
    default=None,
    help="How long a server waits for the confirmation before it takes the change back: 30s, 10m, at most 4h.",
)
yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
no_input = click.option(
    "--no-input", is_flag=True, help="Never ask; refuse where a question would be needed."
)
out = click.option(
    "--out", type=click.Path(dir_okay=False), default=None, metavar="FILE", help="Write the plan there."
)
target = click.option(
    "--target",
    "addresses",
    multiple=True,
    metavar="ADDRESS",
    help="Only this address: `ems`, `ems/ems_enable`, `vts1/files`.",
)

allow_erase = click.option(
    "--allow-erase",
    "allow_erase",
    multiple=True,
    metavar="NAME",
    help="Let this parameter or policy through although it could make tapes erasable.",
)

documents = _all(inventory, extra)
project = _all(inventory, limit, extra)
show = _all(json_flag, verbose, color)
