"""Hosts and groups: Ansible's YAML inventory and the JSON of `ansible-inventory --list`.

Variables are merged in this order: all, then parent groups, then child groups, then the host; maps merge key by
key, everything else is replaced. Groups of the same depth go by `ansible_group_priority` (1 when unset; the higher
goes later), then by name. A group's variables in the inventory go before those of its group_vars file.
"""

from __future__ import annotations

import json

from vtsconf.core.inventory.draft import Draft, kind
from vtsconf.core.inventory.model import Group, Inventory, Member, group_layers
from vtsconf.core.problem import Place, Problem
from vtsconf.core.templates import is_template
from vtsconf.core.tree import Leaf, Map, Node, Seq

__all__ = ["Group", "Inventory", "Member", "group_layers", "read_inventory", "read_listing"]


def read_inventory(tree: Node | None, name: str) -> tuple[Inventory, list[Problem]]:
    """The inventory that a YAML document (core/document.py) says."""
    draft = Draft(name)
    if tree is None:
        draft.problem("the inventory is empty", Place(name), remedy="write `all:` with `hosts:` under it")
    elif not isinstance(tree, Map):
        draft.problem(
            f"an inventory is a map of groups, not {kind(tree)}", tree.place, remedy="begin with `all:`"
        )
    else:
        for group, body in tree.entries.items():
            draft.group(group, body, tree.key_places[group])
    return draft.finished(), draft.problems


def read_listing(tree: Node | None, name: str) -> tuple[Inventory, list[Problem]]:
    """The inventory that `ansible-inventory --list` prints: `_meta.hostvars`, and groups with hosts, children, vars."""
    draft = Draft(name)
    if not isinstance(tree, Map):
        what = "is empty" if tree is None else f"is a map of groups, not {kind(tree)}"
        draft.problem(f"the output of an inventory {what}", tree.place if tree else Place(name))
        return draft.finished(), draft.problems
    tree = Map({k: _unwrapped(v, draft) for k, v in tree.entries.items()}, tree.key_places, tree.place)
    for group, body in tree.entries.items():
        if group != "_meta":
            draft.listed_group(group, body, tree.key_places[group])
    meta = tree.entries.get("_meta")
    variables = meta.entries.get("hostvars") if isinstance(meta, Map) else None
    if isinstance(variables, Map):
        for host, body in variables.entries.items():
            draft.host(host, body, variables.key_places[host], group=None)
    return draft.finished(), draft.problems


def _unwrapped(node: Node, draft: Draft) -> Node:
    """Ansible's JSON wraps text that must not be templated, and vaulted text, into maps of one key."""
    match node:
        case Map(entries={"__ansible_unsafe": Leaf(value=str(text)), **rest}) if not rest:
            # Unsafe means: not a template. As a literal inside one it comes out as it is.
            literal = "{{ " + json.dumps(text, ensure_ascii=False) + " }}"
            return Leaf(literal if is_template(text) else text, node.place)
        case Map(entries={"__ansible_vault": _}):
            draft.problem(
                "a value of ansible-vault",
                node.place,
                why="ansible-vault is not read",
                remedy="write secret://PROVIDER/REFERENCE and keep the value with one of env, file, cmd, keyring, sops",
            )
            return Leaf(None, node.place)
        case Map():
            return Map(
                {k: _unwrapped(v, draft) for k, v in node.entries.items()}, node.key_places, node.place
            )
        case Seq():
            return Seq(tuple(_unwrapped(item, draft) for item in node.items), node.place)
        case _:
            return node
