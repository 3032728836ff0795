"""`vtsconf inventory`: the hosts and groups, and what a limit selects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from vtsconf.cli import options
from vtsconf.cli.options import set_color
from vtsconf.cli.problems import show_problems
from vtsconf.cli.show import print_json
from vtsconf.core.inventory import Inventory
from vtsconf.core.outcome import Exit
from vtsconf.core.pattern import select
from vtsconf.core.problem import errors
from vtsconf.engine.project import Project


@click.command(epilog="Examples: `vtsconf inventory -l 'frankfurt:!vts3'`, `vtsconf inventory --graph`.")
@options.project
@click.option("--graph", is_flag=True, help="Groups as a tree.")
@options.show
def command(
    *,
    inventory: str | None,
    limit: str | None,
    extra: tuple[str, ...],
    graph: bool,
    as_json: bool,
    verbose: int,
    color: str | None,
) -> int:
    """List the hosts with their groups, or the groups as a tree; with --limit, what it selects."""
    set_color(color)
    project = Project.load(inventory, extra=extra)
    chosen = select(limit, project.inventory)
    show_problems(project.problems, verbose=verbose)
    if as_json:
        print_json(_document(project.inventory, chosen))
    elif graph:
        for line in _tree(project.inventory, set(chosen)):
            click.echo(line)
    else:
        width = max((len(name) for name in chosen), default=0)
        for name in chosen:
            groups = [g for g in project.inventory.hosts[name].groups if g != "all"]
            click.echo(f"{name:<{width}}  {', '.join(groups)}".rstrip())
        click.echo(f"{len(chosen)} of {len(project.inventory.hosts)} hosts", err=True)
    return Exit.INVALID if errors(project.problems) else Exit.DONE


def _document(inventory: Inventory, chosen: tuple[str, ...]) -> dict[str, Any]:
    return {
        "format": "vtsconf/inventory/1",
        "hosts": [{"host": name, "groups": list(inventory.hosts[name].groups)} for name in chosen],
        "groups": [
            {"group": name, "children": list(group.children), "hosts": list(group.hosts)}
            for name, group in inventory.groups.items()
        ],
    }


def _tree(inventory: Inventory, chosen: set[str]) -> Iterator[str]:
    """`all` and everything below it; a host that the limit leaves out is not shown."""
    below = {child for group in inventory.groups.values() for child in group.children}
    top = [name for name in inventory.groups if name != "all" and name not in below]
    # A stack, not recursion: groups may be nested by name as deep as anyone likes.
    stack = [(0, "all")]
    while stack:
        depth, name = stack.pop()
        yield f"{'  ' * depth}@{name}"
        group = inventory.groups[name]
        children = [*group.children, *(top if name == "all" else [])]
        if name != "all" or not children:
            yield from (f"{'  ' * (depth + 1)}{host}" for host in group.hosts if host in chosen)
        stack += [(depth + 1, child) for child in reversed(dict.fromkeys(children))]
