"""Variables from the command line: `-e key=value`, `-e '{…}'`, `-e @FILE`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vtsconf.core.document import read_document
from vtsconf.core.errors import Usage
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Leaf, Map, merge_all
from vtsconf.engine.varsfiles import read_variables

_PLACE = Place("-e")


def read_extra(words: Sequence[str]) -> tuple[Map | None, list[Problem]]:
    """All of them laid over one another, the last on top; None when there are none. Raises Usage."""
    layers: list[Map] = []
    problems: list[Problem] = []
    for word in words:
        tree, wrong = _one(word)
        problems += wrong
        layers += [tree] if tree is not None else []
    return (merge_all(layers, _PLACE) if layers else None), problems


def _one(word: str) -> tuple[Map | None, list[Problem]]:
    if word.startswith("@"):
        return read_variables(Path(word[1:]))
    if word.lstrip().startswith("{"):
        tree, problems = read_document(word, _PLACE.file)
        return (tree, problems) if isinstance(tree, Map) else (None, problems)
    key, sign, value = word.partition("=")
    if not sign or not key.isidentifier():
        raise Usage(f"-e `{word[:80]}` is not KEY=VALUE", remedy="write -e name=value, -e '{…}' or -e @FILE")
    if key == "vts" and not value.lstrip().startswith("{{"):
        whole = value if value.lstrip().startswith("{") else "{…}"
        raise Usage(
            f"-e `{word[:80]}` gives `vts` a text: what stands behind = is never more",
            remedy=f"write -e '{{\"vts\": {whole[:200]}}}' or -e @FILE",
        )
    return Map({key: Leaf(value, _PLACE)}, {key: _PLACE}, _PLACE), []
