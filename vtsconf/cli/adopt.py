"""`vtsconf adopt`: the YAML that describes a server as it is now."""

from __future__ import annotations

import posixpath

import click

from vtsconf.cli import options
from vtsconf.core.outcome import Exit


@click.command(
    epilog="Examples: `vtsconf adopt vts1 > vts1.yaml`, `vtsconf adopt vts1 --only-family ems --file /etc/motd`."
)
@click.argument("host")
@options.inventory
@options.extra
@click.option(
    "--only-family",
    "only",
    multiple=True,
    metavar="FAMILY",
    help="Only these parameters: `ems`, `hsm`, `cleanup`, `parameters` (all others).",
)
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    help="This whole file too, with its content, owner, group and mode.",
)
@options.color
def command(
    host: str,
    inventory: str | None,
    extra: tuple[str, ...],
    only: tuple[str, ...],
    files: tuple[str, ...],
    color: str | None,
) -> int:
    """Read a server and print the YAML for host_vars that describes it as it is. Changes nothing.

    Once it is saved, `vtsconf plan` has nothing to do there. What the groups say already is not repeated; what
    looks like a secret is replaced by a reference; what a document cannot or should not say is left out, and
    named in a comment.
    """
    from vtsconf.cli.problems import show_problems
    from vtsconf.cli.wiring import open_shop
    from vtsconf.core.errors import Usage
    from vtsconf.core.problem import errors
    from vtsconf.engine.adopt import adopt
    from vtsconf.engine.outline import outline

    for path in files:
        if not path.startswith("/") or posixpath.normpath(path) != path or not path.isprintable():
            raise click.BadParameter(
                f"`{path!a}` is not an absolute path in its simplest form", param_hint="--file"
            )
    shop = open_shop(inventory, extra, color=color)
    options.set_color(shop.settings.color)
    hosts = shop.project.hosts(host)
    if len(hosts) != 1:
        raise Usage(f"`{host}` is {len(hosts)} hosts", remedy="adopt one at a time")
    result = adopt(outline(hosts[0], shop.project), shop.project, shop.reach, only=only, files=files)
    click.echo(result.text, nl=False)
    if wrong := errors(result.problems):
        show_problems(wrong)
        click.echo("these errors are of the documents that are there; plan needs them put right", err=True)
    return Exit.DONE
