"""A project on disk: the inventory, group_vars, host_vars, the site's tables and templates, and its Git revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vtsconf.core.errors import Usage
from vtsconf.core.fleet import Host, assemble
from vtsconf.core.inventory import Inventory
from vtsconf.core.pattern import select
from vtsconf.core.problem import Problem
from vtsconf.core.templates import is_name
from vtsconf.core.tree import Map
from vtsconf.engine import share
from vtsconf.engine.extra import read_extra
from vtsconf.engine.revision import Revision, read_revision
from vtsconf.engine.source import read_source
from vtsconf.engine.textfile import read_bytes
from vtsconf.engine.varsfiles import read_folder

if TYPE_CHECKING:
    from vtsconf.core.tables import Tables

_USUAL_NAMES = ("inventory.yaml", "inventory.yml", "inventory.json", "hosts.yaml", "hosts.yml")


@dataclass(frozen=True, kw_only=True)
class Project:
    """All that was written down for a fleet."""

    root: Path  # the folder of the inventory
    source: Path  # the inventory
    inventory: Inventory
    group_vars: Mapping[str, Map] = field(default_factory=dict[str, Map])
    host_vars: Mapping[str, Map] = field(default_factory=dict[str, Map])
    extra: Map | None = None
    site_tables: Mapping[str, str] = field(default_factory=dict[str, str])  # texts by file name
    site_bmas: Mapping[str, str] = field(default_factory=dict[str, str])  # texts of bmas/ by file name
    wrong: tuple[Problem, ...] = ()  # of the inventory and the variables

    @classmethod
    def load(cls, inventory: str | Path | None = None, *, extra: Sequence[str] = ()) -> Project:
        """Read everything. Raises Usage when there is no inventory; all other errors are in `problems`."""
        source = find_inventory(inventory)
        root = source.parent
        hosts, problems = read_source(source, str(source))
        groups = read_folder(root, "group_vars", hosts.groups, hosts.hosts)
        members = read_folder(root, "host_vars", hosts.hosts, hosts.groups)
        over, wrong = read_extra(extra)
        problems += [*groups.problems, *members.problems, *wrong]
        texts, wrong = _texts(root / "parameters")
        bmas, more = _texts(root / "bmas")
        return cls(
            root=root,
            source=source,
            inventory=hosts,
            group_vars=groups.variables,
            host_vars=members.variables,
            extra=over,
            site_tables=texts,
            site_bmas=bmas,
            wrong=(*problems, *wrong, *more),
        )

    @cached_property
    def _read_tables(self) -> tuple[Tables, list[Problem]]:
        """Read when first asked for: who only needs the hosts does not wait for the model behind tables."""
        from vtsconf.core.tablefile import read_tables

        tables, problems = read_tables(share.parameter_tables(), self.site_tables)
        if not self.site_bmas:
            return tables, problems
        from vtsconf.bma import site

        applications = {}
        for file, text in self.site_bmas.items():
            application, wrong = site.read(text, file)
            problems = [*problems, *wrong]
            if application:
                applications[application.NAME] = application
        return replace(tables, applications=applications), problems

    @property
    def tables(self) -> Tables:
        """The shipped parameter tables with the site's own laid over them."""
        return self._read_tables[0]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with the documents as a whole; each host has its own besides."""
        return (*self.wrong, *self._read_tables[1])

    def hosts(self, limit: str | None = None) -> list[Host]:
        """The hosts that a limit selects, in the inventory's order. Raises Usage when it selects none."""
        return self._assembled(select(limit, self.inventory))

    def host(self, name: str) -> Host | None:
        """The one of that name; the others are not looked at."""
        return self._assembled([name])[0] if name in self.inventory.hosts else None

    def _assembled(self, names: Sequence[str]) -> list[Host]:
        return assemble(
            self.inventory,
            names,
            group_vars=self.group_vars,
            host_vars=self.host_vars,
            extra=self.extra,
        )

    def template(self, name: str) -> str | None:
        """A template's text: the site's own before the built-in one; None when there is neither."""
        if not is_name(name):
            return None
        folder = (self.root / "templates").resolve()
        path = (folder / name).resolve()
        if path.is_relative_to(folder) and path.is_file():
            data = read_bytes(path, f"templates/{name}")
            if isinstance(data, bytes):
                return data.decode(errors="replace")
        return share.template(name)

    def revision(self) -> Revision | None:
        """The Git revision of the folder, None when it is no checkout. Asks git."""
        return read_revision(self.root)


def find_inventory(named: str | Path | None) -> Path:
    """The inventory's file: as named, inside the folder named, or under a usual name here. Raises Usage."""
    path = Path(named) if named is not None else Path()
    if path.is_dir():
        found = next((path / name for name in _USUAL_NAMES if (path / name).exists()), None)
        if found is None:
            where = f"in `{path}`" if named is not None else "here"
            raise Usage(
                f"there is no inventory {where}",
                remedy="name one with -i, or start with `vtsconf init` or `vtsconf lab up`",
            )
        path = found
    if not path.exists():
        raise Usage(
            f"there is no inventory `{path}`", remedy="name one with -i, or start with `vtsconf init`"
        )
    return path


def _texts(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """The YAML files of one of the site's folders."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]) if folder.is_dir() else ():
        data = read_bytes(path, str(path))
        if isinstance(data, Problem):
            problems.append(data)
        else:
            # Bytes that are no UTF-8 become a character that the document's reader refuses, with its place.
            texts[str(path)] = data.decode(errors="surrogateescape")
    return texts, problems
