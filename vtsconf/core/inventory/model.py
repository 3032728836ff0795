"""Hosts and groups as they are once they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vtsconf.core.problem import Place
from vtsconf.core.tree import Map


@dataclass(frozen=True, kw_only=True)
class Group:
    """`hosts` are its own members, not those of its children. `depth` is 0 for `all`."""

    name: str
    place: Place
    hosts: tuple[str, ...]
    children: tuple[str, ...]
    variables: Map
    depth: int
    priority: int


@dataclass(frozen=True, kw_only=True)
class Member:
    """A host as the inventory has it; `groups` are all it is in, in merge order, `all` first."""

    name: str
    place: Place
    variables: Map
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All groups and hosts, in the order they were written."""

    groups: Mapping[str, Group] = field(default_factory=dict[str, Group])
    hosts: Mapping[str, Member] = field(default_factory=dict[str, Member])

    def members(self, group: str) -> tuple[str, ...]:
        """Hosts of the group and its children, in the inventory's order; () for an unknown group."""
        return tuple(name for name, host in self.hosts.items() if group in host.groups)

    def listing(self) -> dict[str, list[str]]:
        """Every group with its hosts: Ansible's variable `groups`."""
        listing: dict[str, list[str]] = {name: [] for name in self.groups}
        for name, host in self.hosts.items():
            for group in host.groups:
                listing[group].append(name)
        return listing


def group_layers(inventory: Inventory, groups: Iterable[str], group_vars: Mapping[str, Map]) -> list[Map]:
    """The variables of groups, in merge order: of each those of the inventory, then those of its own file."""
    layers = []
    for name in groups:
        layers.append(inventory.groups[name].variables)
        if name in group_vars:
            layers.append(group_vars[name])
    return layers
