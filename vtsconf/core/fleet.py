"""The hosts of a project: each with its groups and its merged, rendered variables, and where each was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vtsconf.core.inventory import Inventory, Member, group_layers
from vtsconf.core.problem import Level, Place, Problem
from vtsconf.core.tree import Map, Path, merge_all, place_of
from vtsconf.core.variables import Variables


@dataclass(frozen=True, kw_only=True)
class Host:
    """One server as it is written down.

    `variables` is plain data, templates rendered: `vts`, `ansible_*` and `vts_*` always; any other one that
    could not be rendered is absent, and its reason is among the `problems` (as a note). `groups` are sorted by
    name, without `all`. `tree` holds the merged variables as they were written.
    """

    name: str
    groups: tuple[str, ...]
    variables: Mapping[str, Any]
    tree: Map
    place: Place
    problems: tuple[Problem, ...] = ()

    def locate(self, path: Path, *, key: bool = False) -> Place | None:
        """Where the value (or its key) at `path`, such as `("vts", "ems", "enable")`, was written.

        For an absent one: its nearest parent. None when even the variable is unknown.
        """
        if not path or str(path[0]) not in self.tree.entries:
            return None
        return place_of(self.tree, path, key=key)


_EAGER = ("vts", "vts_", "ansible_")


def assemble(
    inventory: Inventory,
    names: Iterable[str],
    *,
    group_vars: Mapping[str, Map],
    host_vars: Mapping[str, Map],
    extra: Map | None = None,
) -> list[Host]:
    """The hosts of these names, each with its variables merged and rendered; `extra` wins over all."""
    listing = inventory.listing()
    below: dict[tuple[str, ...], Map] = {}
    hosts = []
    for name in names:
        member = inventory.hosts[name]
        if member.groups not in below:
            layers = group_layers(inventory, member.groups, group_vars)
            below[member.groups] = merge_all(layers, member.place)
        own = [
            member.variables,
            *([host_vars[name]] if name in host_vars else []),
            *([extra] if extra else []),
        ]
        hosts.append(_host(member, merge_all([below[member.groups], *own], member.place), listing))
    return hosts


def _host(member: Member, tree: Map, listing: Mapping[str, list[str]]) -> Host:
    groups = tuple(sorted(group for group in member.groups if group != "all"))
    built_in = {
        "inventory_hostname": member.name,
        "inventory_hostname_short": member.name.partition(".")[0],
        "group_names": list(groups),
        "groups": listing,
    }
    values, problems = _rendered(Variables(tree, built_in), tree, member.name)
    return Host(
        name=member.name,
        groups=groups,
        variables=values | built_in,
        tree=tree,
        place=member.place,
        problems=tuple(problems),
    )


def _rendered(variables: Variables, tree: Map, host: str) -> tuple[dict[str, Any], list[Problem]]:
    """Values and problems. Other people's variables may need what only Ansible has: that is worth a note only."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in tree.entries:
        value, wrong = variables.value(name)
        ours = name == _EAGER[0] or name.startswith(_EAGER[1:])
        if ours or not wrong:
            values[name] = value
        level = Level.ERROR if ours else Level.NOTE
        problems += [replace(problem, level=level, host=host) for problem in wrong]
    return values, problems
