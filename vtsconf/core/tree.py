"""The values of a document, each with the place it was written at, and how documents are laid over one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vtsconf.core.problem import Place

Scalar = str | int | float | bool | None
Path = Sequence[str | int]


@dataclass(frozen=True)
class Leaf:
    """A scalar. `overrides` are the nodes it was laid over, nearest first."""

    value: Scalar
    place: Place
    overrides: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Seq:
    """A list."""

    items: tuple[Node, ...]
    place: Place
    overrides: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Map:
    """A map with text keys. `key_places` says where each key was written, the last writer's place."""

    entries: Mapping[str, Node]
    key_places: Mapping[str, Place]
    place: Place
    overrides: tuple[Node, ...] = ()


Node = Leaf | Seq | Map


def empty(place: Place) -> Map:
    """A map with nothing in it."""
    return Map({}, {}, place)


def plain(node: Node) -> Any:
    """The values without their places: dict, list and scalars, all new."""
    match node:
        case Map():
            return {key: plain(value) for key, value in node.entries.items()}
        case Seq():
            return [plain(item) for item in node.items]
        case Leaf():
            return node.value


def merge(under: Node, over: Node) -> Node:
    """Lay `over` on `under`: maps merge key by key, everything else is replaced and remembers what it replaced."""
    if not isinstance(under, Map) or not isinstance(over, Map):
        return replace(over, overrides=(*over.overrides, under, *under.overrides))
    entries = dict(under.entries)
    for key, value in over.entries.items():
        entries[key] = merge(entries[key], value) if key in entries else value
    return Map(entries, {**under.key_places, **over.key_places}, over.place, over.overrides + under.overrides)


def merge_all(maps: Iterable[Map], place: Place) -> Map:
    """All maps laid over one another, the last on top; an empty one at `place` when there are none."""
    merged: Node | None = None
    for one in maps:
        if one.entries:
            merged = one if merged is None else merge(merged, one)
    return merged if isinstance(merged, Map) else empty(place)


def child(node: Node, step: str | int) -> Node | None:
    """The node one step below, or None."""
    match node:
        case Map():
            return node.entries.get(str(step))
        case Seq() if isinstance(step, int) and -len(node.items) <= step < len(node.items):
            return node.items[step]
        case _:
            return None


def at(node: Node, path: Path) -> Node | None:
    """The node at `path`, or None."""
    found: Node | None = node
    for step in path:
        if found is None:
            return None
        found = child(found, step)
    return found


def place_of(node: Node, path: Path, *, key: bool = False) -> Place:
    """Where the value at `path` (with `key`: its key) was written; for one that is absent, its nearest parent."""
    for step in path:
        below = child(node, step)
        if below is None:
            return node.place
        place = node.key_places.get(str(step), below.place) if key and isinstance(node, Map) else below.place
        node = below
    return place if path else node.place


def leaves(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Every scalar and every empty list or map with its path, in the order they were written."""
    match node:
        case Map() if node.entries:
            for key, value in node.entries.items():
                yield from leaves(value, (*path, key))
        case Seq() if node.items:
            for index, item in enumerate(node.items):
                yield from leaves(item, (*path, index))
        case _:
            yield path, node


def planted(value: Any, place: Place) -> Node:
    """Plain data as a tree whose every node has the same place (a command line, a template's result)."""
    match value:
        case Mapping():
            below = {str(k): planted(v, place) for k, v in value.items()}
            return Map(below, dict.fromkeys(below, place), place)
        case list() | tuple():
            return Seq(tuple(planted(item, place) for item in value), place)
        case _:
            return Leaf(value, place)
