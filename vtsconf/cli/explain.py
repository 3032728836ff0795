"""`vtsconf explain`: where each value of a host comes from, and what it overrode."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from vtsconf.cli import options
from vtsconf.cli.options import set_color
from vtsconf.cli.show import print_json
from vtsconf.core.errors import Usage
from vtsconf.core.fleet import Host
from vtsconf.core.printable import printable
from vtsconf.core.problem import Problem, suggestion
from vtsconf.core.tree import Map, Node, at, leaves, plain
from vtsconf.engine.project import Project


@click.command(
    epilog="Examples: `vtsconf explain vts1`, `vtsconf explain vts1 ems/keep_alive`, "
    "`vtsconf explain vts1 /ansible_host`."
)
@click.argument("host")
@click.argument("address", default="")
@options.inventory
@options.extra
@options.show
def command(
    *,
    host: str,
    address: str,
    inventory: str | None,
    extra: tuple[str, ...],
    as_json: bool,
    verbose: int,
    color: str | None,
) -> None:
    """Show each value of HOST with the file and line it came from, and what it overrode.

    ADDRESS narrows it: as it is written (`ems/keep_alive`), as a plan calls it (`ems/ems_keep_alive`), or any
    other variable (`/ansible_host`).
    """
    set_color(color)
    project = Project.load(inventory, extra=extra)
    if host not in project.inventory.hosts:
        raise Usage(
            f"there is no host `{printable(host, 80)}`",
            remedy=suggestion(host, project.inventory.hosts) or "`vtsconf inventory` lists them",
        )
    [one] = project.hosts(host)
    path = _path(address.removeprefix(f"{host}/"))
    values = list(_values(one, path, verbose)) or list(_values(one, _wanted(one, project, path), verbose))
    if not values:
        raise Usage(
            f"`{printable(host, 80)}` has no value at `{printable(address or 'vts', 80)}`",
            remedy=_near(one, address),
        )
    if as_json:
        print_json({"format": "vtsconf/explanation/1", "host": host, "values": values})
        return
    for value in values:
        _show(value)
    _warn([*project.problems, *one.problems])


def _path(address: str) -> tuple[str, ...]:
    """`ems/x` is below `vts`; `/name/x` is below the variables."""
    parts = tuple(part for part in address.split("/") if part)
    return parts if address.startswith("/") else ("vts", *(parts[1:] if parts[:1] == ("vts",) else parts))


def _wanted(host: Host, project: Project, path: tuple[str, ...]) -> tuple[str, ...]:
    """Where a parameter that a plan names is written; the path itself where none is."""
    from vtsconf.resources import desired

    vts, _ = desired.read(host, project.tables)
    address = "/".join(path[1:])
    found = desired.wanted(vts, project.tables, host.locate).values() if vts else ()
    return next((tuple(str(step) for step in one.path) for one in found if one.address == address), path)


def _values(host: Host, path: tuple[str, ...], verbose: int) -> Iterator[dict[str, Any]]:
    """One line a scalar or list: its address, value as rendered, as written, and its places."""
    top = _descend(host.tree, path)
    if top is None:
        return
    rendered = _descend_plain(host.variables, path)
    for below, node in leaves(top) if verbose else _rows(top):
        yield {
            "address": "/".join([*path, *(str(step) for step in below)]),
            "value": _descend_plain(rendered, below),
            "written": plain(node),
            "from": str(node.place),
            "overrode": [{"value": plain(old), "from": str(old.place)} for old in node.overrides],
        }


def _rows(node: Node) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Scalars and whole lists: lists are replaced as a whole, so they have one origin."""
    if isinstance(node, Map) and node.entries:
        for key, value in node.entries.items():
            yield from (((key, *below), one) for below, one in _rows(value))
    else:
        yield (), node


def _descend(node: Node, path: Sequence[str]) -> Node | None:
    return at(node, [int(step) if step.isdigit() else step for step in path]) or at(node, path)


def _descend_plain(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        try:
            value = value[int(step)] if isinstance(value, list) else value[str(step)]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return value


def _near(host: Host, address: str) -> str:
    """The closest address that exists."""
    known = ["/".join(str(step) for step in path) for path, _ in leaves(host.tree)]
    known += [name.removeprefix("vts/") for name in known]
    return suggestion(address.strip("/"), known) or "`vtsconf explain HOST` shows all of them"


def _show(value: dict[str, Any]) -> None:
    lost = value["value"] is None and value["written"] is not None
    text = "?" if lost else printable(json.dumps(value["value"], ensure_ascii=False), 200)
    click.echo(f"{click.style(printable(value['address']), bold=True)} = {text}")
    click.echo(f"    from {printable(value['from'])}" + _template(value))
    for old in value["overrode"]:
        text = printable(json.dumps(old["value"], ensure_ascii=False), 100)
        click.echo(f"    over {printable(old['from'])}: {text}")


def _template(value: dict[str, Any]) -> str:
    if value["written"] == value["value"]:
        return ""
    return f", written {printable(json.dumps(value['written'], ensure_ascii=False), 100)}"


def _warn(problems: Sequence[Problem]) -> None:
    from vtsconf.cli.problems import show_problems

    show_problems(problems)
