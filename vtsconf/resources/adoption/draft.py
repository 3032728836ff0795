"""A document about a live server while it is being made: what is in it, what is not and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core.printable import printable
from vtsconf.core.tables import OTHER, Table, Tables
from vtsconf.core.templates import is_template
from vtsconf.core.wanted import WantedParameter

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Something that the document cannot say, or should not; it stays on the server as it is."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Inherited:
    """What the documents say for this host without its own: by name, from `vts.FAMILY` and `vts.parameters`."""

    wanted: Mapping[str, WantedParameter] = field(default_factory=dict)

    def hosts(self, table: Table) -> tuple[str, ...]:
        """The names under the family's `hosts`, in order."""
        listed = self.wanted.get(table.hosts)
        path = ("vts", table.family, "hosts")
        if listed is None or tuple(listed.path) != path or not isinstance(listed.text, str):
            return ()
        return tuple(listed.text.split())


@dataclass(kw_only=True)
class Adoption:
    """A document being made. `tree` is plain data; `comments` stand above the key at their path."""

    host: str
    tables: Tables
    inherited: Inherited = field(default_factory=Inherited)
    tree: dict[str, Any] = field(default_factory=dict)
    comments: dict[Path, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    paths: dict[Path, str] = field(default_factory=dict)  # where a parameter was put: its name
    same: int = 0  # values that are inherited as they are

    def put(self, path: Path, value: Any, comment: str = "") -> None:
        """Set the value at a path, making the maps above it."""
        below = self.tree
        for step in path[:-1]:
            if not isinstance(below.get(step), dict):
                below[step] = {}
            below = below[step]
        below[path[-1]] = value
        if comment:
            self.comments[path] = comment

    def document(self) -> dict[str, Any]:
        """The tree with its sections in the order in which people write them."""
        vts = self.tree.get("vts", {})
        first = ("config_file", *(f for f in self.tables.families if f != OTHER), OTHER, "files")
        return {"vts": {key: vts[key] for key in first if key in vts}}

    def leave(self, name: str, why: str) -> None:
        """Say that it is not in the document."""
        self.left_out.append(LeftOut(name=printable(name, 80), why=why))


def protected(value: Any) -> Any:
    """The value, its texts that look like templates as templates that give these texts."""
    if isinstance(value, list):
        return [protected(item) for item in value]
    if not isinstance(value, str) or not is_template(value):
        return value
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'{{{{ "{quoted}" }}}}'


def described(adoption: Adoption) -> Iterator[str]:
    """The lines of the header: what is left out, and why."""
    if adoption.same:
        yield f"{adoption.same} values are not repeated here: the groups say the same."
    if adoption.left_out:
        yield "Left out:"
    for left in adoption.left_out:
        yield f"  {left.name}: {left.why}"
