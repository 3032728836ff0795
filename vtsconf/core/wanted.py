"""The parameters a document asks for: each with its text, its address, and the services that must learn of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vtsconf.core import live
from vtsconf.core.fields import found
from vtsconf.core.problem import Level, Place, Problem, suggestion
from vtsconf.core.secret import SecretRef
from vtsconf.core.tables import ANYSYS, NAME, OTHER, Row, Scope, Standing, Table, Tables
from vtsconf.core.tree import Path
from vtsconf.core.validation import Locate, dotted, unknown_key
from vtsconf.core.values import Unwritable, written

_HOST = re.compile(r"[A-Za-z0-9\\$][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class WantedParameter:
    """One line that the configuration file shall hold, or (text None) shall not.

    `path` leads to the value in the document; `restart` names services, in `vts.services` or not.
    """

    name: str
    address: str  # "ems/ems_enable"
    text: str | SecretRef | None
    restart: tuple[str, ...] = ()
    path: Path = ()
    place: Place | None = None
    row: Row | None = None  # None: no table speaks of it
    family: str = OTHER
    host: str | None = None  # the NonStop host it is for

    @property
    def secret(self) -> bool:
        return isinstance(self.text, SecretRef)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One key of the document that stands for one parameter."""

    name: str
    value: Any
    path: Path
    standing: Standing


@dataclass(kw_only=True)
class _Gathering:
    """What is known while one host's document is read."""

    tables: Tables
    locate: Locate
    host: str | None
    parameters: dict[str, WantedParameter] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, path: Path, what: str, *, key: bool = False, **more: Any) -> None:
        self.problems.append(
            Problem(
                what=f"{dotted(path)}: {what}",
                place=self.locate(path, key=key),
                host=self.host,
                **{"code": "value", "address": dotted(path)} | more,
            )
        )

    def unknown(self, path: Path, known: list[str], escape: str = "") -> None:
        place = self.locate(path, key=True)
        self.problems.append(
            unknown_key(str(path[-1]), known, path=path[:-1], place=place, host=self.host, escape=escape)
        )


def gather(
    families: Mapping[str, Any], parameters: Any, *, tables: Tables, locate: Locate, host: str | None = None
) -> tuple[dict[str, WantedParameter], list[Problem]]:
    """The parameters that `vts.FAMILY` and `vts.parameters` ask for, by full name, and all that is wrong.

    `families` and `parameters` are plain data as a person wrote it.
    """
    gathering = _Gathering(tables=tables, locate=locate, host=host)
    for family, section in families.items():
        for entry in _of_family(tables.families[family], section, gathering):
            _add(entry, gathering)
    for entry in _others(parameters, gathering):
        _add(entry, gathering)
    return gathering.parameters, gathering.problems


def _of_family(table: Table, section: Any, gathering: _Gathering) -> Iterator[_Entry]:
    path = ("vts", table.family)
    for key, value in _entries(section, path, gathering):
        row = table.by_key(key)
        if key == "hosts" and table.hosts:
            yield from _per_host(table, value, gathering)
        elif row and row.name == table.hosts:
            remedy = f"write {dotted(path)}.hosts: {{NAME: {{}}}}; `{row.name}` is made of the names"
            gathering.complain((*path, key), "is not written by itself", key=True, remedy=remedy)
        elif row and Scope(row.scope).is_global:
            yield _Entry(
                name=row.name, value=value, path=(*path, key), standing=gathering.tables.standing(row.name)
            )
        elif row:
            remedy = f"write it as {dotted(path)}.hosts.NAME.{key}"
            gathering.complain((*path, key), "is a setting of one host", key=True, remedy=remedy)
        elif table.open:
            name = key if key.startswith(table.prefix) else table.prefix + key
            yield _Entry(name=name, value=value, path=(*path, key), standing=gathering.tables.standing(name))
        else:
            hosts = ["hosts"] if table.hosts else []
            escape = "a parameter that no table has goes under vts.parameters, with its full name"
            gathering.unknown((*path, key), [*table.keys(per_host=False), *hosts], escape)


def _entries(section: Any, path: Path, gathering: _Gathering) -> Iterator[tuple[str, Any]]:
    if isinstance(section, Mapping):
        yield from ((str(key), value) for key, value in section.items())
    elif section is not None:  # a key with nothing behind it is an empty map
        gathering.complain(
            path,
            f"{found(section)} stands where a map is wanted",
            remedy="write {key: value}, or keys below it",
        )


def _per_host(table: Table, hosts: Any, gathering: _Gathering) -> Iterator[_Entry]:
    path = ("vts", table.family, "hosts")
    names = []
    for name, options in _entries(hosts, path, gathering):
        if not _HOST.fullmatch(name):
            remedy = "use letters, digits, `_`, `-` and `.`"
            gathering.complain((*path, name), "is not the name of a host", key=True, remedy=remedy)
            continue
        names += [name] if name != ANYSYS else []
        for key, value in _entries(options, (*path, name), gathering):
            row = table.by_key(key)
            inner = (*path, name, key)
            if row is None or not Scope(row.scope).is_per_host:
                gathering.unknown(inner, table.keys(per_host=True))
                continue
            full = f"{row.name}_{name}"
            yield _Entry(
                name=full, value=value, path=inner, standing=Standing(family=table.family, row=row, host=name)
            )
    if names:
        standing = gathering.tables.standing(table.hosts)
        yield _Entry(name=table.hosts, value=names, path=path, standing=standing)


def _others(parameters: Any, gathering: _Gathering) -> Iterator[_Entry]:
    path = ("vts", "parameters")
    for name, value in _entries(parameters, path, gathering):
        standing = gathering.tables.standing(name)
        # Any name is allowed here, so only a near miss is worth a word.
        if not standing.known and (hint := suggestion(name, gathering.tables.names(), cutoff=0.85)):
            gathering.complain(
                (*path, name),
                "is in no table, and close to one that is",
                key=True,
                level=Level.WARNING,
                code="unknown-parameter",
                why="a misspelt parameter is written to the file and does nothing there",
                remedy=hint,
            )
        yield _Entry(name=name, value=value, path=(*path, name), standing=standing)


def _add(entry: _Entry, gathering: _Gathering) -> None:
    if not re.fullmatch(NAME, entry.name):
        gathering.complain(
            entry.path,
            f"`{entry.name!r:.80}` cannot be the name of a parameter",
            key=True,
            why="a line of the file is name='value', the name made of letters, digits and `_`",
            remedy="write the name as the manual shows it",
        )
        return
    if earlier := gathering.parameters.get(entry.name):
        gathering.complain(
            entry.path,
            f"`{entry.name}` is given twice, here and as {dotted(earlier.path)}",
            key=True,
            remedy="take one of the two out",
        )
        return
    standing, row = entry.standing, entry.standing.row
    try:
        text = _text(entry)
    except Unwritable as unwritable:
        gathering.complain(entry.path, unwritable.what, why=unwritable.why, remedy=unwritable.remedy)
        return
    if row is None or row.status == "site":
        gathering.complain(
            entry.path,
            f"`{entry.name}` is site-defined: no manual page that we know shows it",
            key=True,
            level=Level.NOTE,
            code="site-defined",
        )
    restart = gathering.tables.restart(standing)
    gathering.parameters[entry.name] = WantedParameter(
        name=entry.name,
        address=f"{standing.family}/{entry.name}",
        text=text,
        restart=(restart,) if restart else (),
        path=entry.path,
        place=gathering.locate(entry.path),
        row=row,
        family=standing.family,
        host=standing.host,
    )


def _text(entry: _Entry) -> str | SecretRef | None:
    """The text between the quotes, a secret's reference, or None for a line that shall not be there."""
    row = entry.standing.row
    reference = SecretRef.parse(entry.value) if isinstance(entry.value, str) else None
    if entry.value is None:
        return None
    if reference and reference.provider == live.PROVIDER:
        raise Unwritable(
            "`secret://live/` is not for documents", remedy="write secret://env/NAME, secret://file/PATH"
        )
    if reference and row and row.type in ("yes_no", "integer", "list", "hosts"):
        raise Unwritable("a secret stands here, and this parameter is none", remedy="write the value itself")
    if reference:
        return reference
    if isinstance(entry.value, str) and entry.value.startswith("secret:"):
        raise Unwritable(
            "this is not a whole reference to a secret", remedy="write secret://PROVIDER/REFERENCE"
        )
    if row and row.secret:
        raise Unwritable(
            "a secret is written out here",
            why="the document is kept in version control, where a secret must never be",
            remedy="write where it is kept: secret://env/NAME, secret://file/PATH",
        )
    return written(entry.value, row.type if row else "any", least=row.least if row else None)
