"""The hosts of a project: each with its groups and its merged, rendered variables, and where each was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vtsconf.core.problem import Place, Problem
from vtsconf.core.tree import Map, Path, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
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
