"""Adopting the parameters of the configuration file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from vtsconf.core import sensitive, vtsfile
from vtsconf.core.secret import SecretRef
from vtsconf.core.tables import ANYSYS, OTHER, Row, Standing, Table
from vtsconf.core.tables import NAME as PARAMETER
from vtsconf.core.values import Unwritable, parsed, written
from vtsconf.core.wanted import WantedParameter
from vtsconf.resources.adoption.draft import Adoption, Path, protected

_HOST = re.compile(r"[A-Za-z0-9\\$][A-Za-z0-9._-]{0,62}")
_RESERVED = ("hosts", "rules")  # keys of a family that are no parameters


def adopt_parameters(
    adoption: Adoption, data: bytes, *, only: Collection[str] = (), refused: Mapping[str, str] | None = None
) -> None:
    """Describe the parameters of the configuration file `data`.

    `only` names families (empty: all); `refused` holds names that must be left out, with the reason.
    """
    live = vtsfile.values(data)
    unclear = {
        line.name for line in vtsfile.unreadable(data, {*live, *adoption.inherited.wanted}) if line.assigns
    }
    refused = dict.fromkeys(unclear, "another line speaks of it in a form that cannot be judged") | (
        dict(refused) if refused else {}
    )
    tables = adoption.tables.families
    families = sorted((f for f in tables if not only or f in only), key=lambda f: f == OTHER)
    mapped = {
        family: tables[family]
        for family in families
        if tables[family].hosts not in refused and _can_be_mapped(adoption, tables[family], live)
    }
    for family, table in mapped.items():
        _map_hosts(adoption, family, table, live[table.hosts])
    for name, text in sorted(live.items(), key=lambda item: _rank(item[0], adoption, families)):
        standing = adoption.tables.standing(name)
        if (only and standing.family not in only) or name in {t.hosts for t in mapped.values()}:
            continue
        if name in refused:
            adoption.leave(name, refused[name])
        else:
            _adopt(adoption, name, text, _path(adoption, name, standing, mapped), standing.row)
    _deny(adoption, live, families, mapped, refused)


def _rank(name: str, adoption: Adoption, families: list[str]) -> int:
    """Families in the order of the tables, the others last; within a family the order of the file."""
    standing = adoption.tables.standing(name)
    return families.index(standing.family) if standing.row and standing.family in families else len(families)


def _can_be_mapped(adoption: Adoption, table: Table, live: Mapping[str, str]) -> bool:
    """The list of hosts is what the names under `hosts` would make of it, once laid over the inherited ones."""
    text = live.get(table.hosts)
    before = adoption.inherited.wanted.get(table.hosts)
    if not text or (before is not None and not _stands_in_hosts(before, adoption)):
        return False
    inherited = adoption.inherited.hosts(table)
    names = text.split()
    merged = [*inherited, *(name for name in names if name not in inherited)]
    return (
        text == " ".join(names)
        and names == merged
        and len(set(names)) == len(names)
        and ANYSYS not in names
        and all(_HOST.fullmatch(name) for name in names)
    )


def _map_hosts(adoption: Adoption, family: str, table: Table, text: str) -> None:
    known = adoption.inherited.hosts(table)
    path = ("vts", family, "hosts")
    adoption.paths[path] = table.hosts
    for name in text.split():
        if name not in known:
            adoption.put((*path, name), {})
    adoption.same += set(known) == set(text.split())


def _path(adoption: Adoption, name: str, standing: Standing, mapped: Mapping[str, Table]) -> Path:
    """Where the document speaks of it: where it does already, else where its table says."""
    before = adoption.inherited.wanted.get(name)
    if before is not None and (standing.family in mapped or not _stands_in_hosts(before, adoption)):
        return _steps(before)
    table = adoption.tables.families.get(standing.family)
    inner: Path | None = None
    if table is not None and standing.host is not None:
        inner = _host_path(adoption, table, standing) if table.family in mapped else None
    elif table is not None and table.family != OTHER:
        inner = _global_path(table, name, standing.row)
    return ("vts", *inner) if inner else ("vts", OTHER, name)


def _steps(wanted: WantedParameter) -> Path:
    return tuple(str(step) for step in wanted.path)


def _stands_in_hosts(wanted: WantedParameter, adoption: Adoption) -> bool:
    table = adoption.tables.families.get(wanted.family)
    return bool(table and table.hosts) and _steps(wanted)[:3] == ("vts", wanted.family, "hosts")


def _host_path(adoption: Adoption, table: Table, standing: Standing) -> Path | None:
    row, host = standing.row, standing.host or ""
    listed = adoption.tree.get("vts", {}).get(table.family, {}).get("hosts", {})
    if row is None or not (host == ANYSYS or host in listed or host in adoption.inherited.hosts(table)):
        return None
    word = table.word(row)
    return (table.family, "hosts", host, word) if table.by_key(word) == row else None


def _global_path(table: Table, name: str, row: Row | None) -> Path | None:
    if table.open and name not in _RESERVED:
        return (table.family, name)
    if row is None or name == table.hosts or table.word(row) in _RESERVED:
        return None
    return (table.family, table.word(row))


def _adopt(adoption: Adoption, name: str, text: str, path: Path, row: Row | None) -> None:
    before = adoption.inherited.wanted.get(name)
    is_same = before is not None and (before.text == text or isinstance(before.text, SecretRef))
    if before is not None and is_same and _steps(before) == path:
        adoption.same += 1
    elif not re.fullmatch(PARAMETER, name):
        adoption.leave(name, "its name is not one that a document can have")
    elif sensitive.is_sensitive(name) or (row and row.secret):
        _adopt_secret(adoption, name, text, path, row)
    elif (value := _value(text, row)) is None:
        adoption.leave(name, _why_not(text, row))
    else:
        adoption.paths[path] = name
        adoption.put(path, value)


def _adopt_secret(adoption: Adoption, name: str, text: str, path: Path, row: Row | None) -> None:
    if not text:
        adoption.leave(name, "it is empty, and a secret never is")
        return
    if row and row.type in ("yes_no", "integer", "list", "hosts"):
        adoption.leave(name, "its name is that of a secret, and its table says that it is none")
        return
    variable = re.sub(r"[^A-Za-z0-9]", "_", f"{adoption.host}_{name}").upper()
    adoption.paths[path] = name
    adoption.put(
        path,
        f"secret://env/{variable}",
        f"Its value is not shown. Put it into the environment variable {variable}, or name another place.",
    )


def _value(text: str, row: Row | None) -> Any:
    """The plain data that is written as exactly this text; None where there is none."""
    kind, least = (row.type, row.least) if row else ("any", None)
    for value in (parsed(text, kind), text):
        if isinstance(value, str) and value.startswith("secret:"):
            continue
        try:
            if written(value, kind, least=least) == text:
                return protected(value)
        except Unwritable:
            continue
    return None


def _why_not(text: str, row: Row | None) -> str:
    try:
        written(text, row.type if row else "any", least=row.least if row else None)
    except Unwritable as unwritable:
        return unwritable.what if not row else f"its table says {row.type}: {unwritable.what}"
    if text.startswith("secret:"):
        return "it begins like a reference to a secret"
    return "a document writes its blanks in another way"


def _deny(
    adoption: Adoption,
    live: Mapping[str, str],
    families: list[str],
    mapped: Mapping[str, Table],
    refused: Mapping[str, str],
) -> None:
    """What the documents ask for and the server does not have: null, since it is described as it is."""
    for name, wanted in adoption.inherited.wanted.items():
        path = _steps(wanted)
        if wanted.family not in families:
            continue
        if _stands_in_hosts(wanted, adoption) and wanted.family not in mapped:
            adoption.put(
                path[:3], None, "The groups name other hosts than the server does; see `parameters` below."
            )
        elif name in live or wanted.text is None:
            continue
        elif name in refused:
            adoption.leave(name, f"the groups ask for it, and the server lacks it; null: {refused[name]}")
        else:
            adoption.paths[path] = name
            adoption.put(path, None)
