"""Reading YAML and JSON as trees of values with their places. ruamel.yaml is known to this room alone.

Documents are YAML 1.2 (core schema): `yes` and `on` are text, so are dates. Tags are refused, and so is anything
that would make a short text a huge value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vtsconf.core.document.builder import MAX_NODES, Builder
from vtsconf.core.document.events import Event, Unreadable
from vtsconf.core.document.jsontext import json_events
from vtsconf.core.document.text import MAX_BYTES, decoded
from vtsconf.core.document.yamltext import yaml_events
from vtsconf.core.problem import Problem
from vtsconf.core.tree import Node

__all__ = ["MAX_BYTES", "MAX_NODES", "read_document", "read_json"]


def read_document(text: bytes | str, name: str) -> tuple[Node | None, list[Problem]]:
    """The tree of one YAML document; None for an empty or unreadable one. Never raises, whatever the bytes."""
    return _read(text, name, yaml_events)


def read_json(text: bytes | str, name: str) -> tuple[Node | None, list[Problem]]:
    """The same of one JSON document."""
    return _read(text, name, json_events)


def _read(
    text: bytes | str, name: str, events: Callable[[str, str], Iterator[Event]]
) -> tuple[Node | None, list[Problem]]:
    builder = Builder()
    try:
        for event in events(decoded(text, name), name):
            builder.add(event)
    except Unreadable as unreadable:
        return None, [*builder.problems, unreadable.problem]
    return builder.root, builder.problems
