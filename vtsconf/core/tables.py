"""The parameters that the server's configuration file may hold: one table a family, one row a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from vtsconf.core.fields import Listed, Settings

ANYSYS = "ANYSYS"  # stands for any host, in the parameters whose row says so [6.03.42 Ops p.44]
OTHER = "parameters"  # the family of a parameter that no table speaks of

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,127}"

ParameterName = Annotated[str, Field(pattern=f"^{NAME}$")]


class Scope(StrEnum):
    """Where a parameter counts: for the whole server, for one NonStop host, or both."""

    GLOBAL = "global"
    PER_HOST = "per_host"
    BOTH = "both"

    @property
    def is_global(self) -> bool:
        return self is not Scope.PER_HOST

    @property
    def is_per_host(self) -> bool:
        return self is not Scope.GLOBAL


class Row(Settings):
    """One parameter: how it is called, what it may hold, and who says so."""

    name: ParameterName  # for one host, `_NAME` of that host follows
    key: str = ""  # the word in YAML; "" = the name without the family's prefix
    scope: Literal["global", "per_host", "both"] = "global"
    type: Literal["yes_no", "integer", "text", "list", "hosts", "any"] = "any"
    default: str | None = None  # as the file would hold it
    least: int | None = None  # of an integer
    anysys: Literal["never", "ALL", "any"] = "never"  # what ANYSYS may be given in place of a host
    since: str | None = None  # release
    until: str | None = None  # the last release that has it
    restart: str = ""  # the service that reads it only when it starts
    secret: bool = False  # must be written as secret://…
    status: Literal["documented", "site"] = "site"
    source: str = "site"
    meaning: str = ""
    note: str = ""  # what of this row is inferred
    override: bool = False  # this row of a site takes the place of a documented one


class Table(Settings):
    """One family of parameters."""

    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    prefix: str = ""  # of the names; "" for a family without one
    open: bool = False  # names that no row has are accepted
    hosts: str = ""  # the parameter that lists the hosts; then `hosts:` is a map of per-host settings
    restart: str = ""  # the service of the rows that name none, and of parameters that no row has
    meaning: str = ""
    rows: Listed[Row] = ()

    def word(self, row: Row) -> str:
        """What a person writes for it under the family."""
        return row.key or row.name.removeprefix(self.prefix)

    def by_key(self, key: str) -> Row | None:
        """The row of a word of the document; in an open family the full name is a word too."""
        return self._by_word.get(key)

    @cached_property
    def _by_word(self) -> dict[str, Row]:
        words = [(word, row) for row in self.rows for word in (self.word(row), row.name if self.open else "")]
        return {word: row for word, row in reversed(words) if word}

    def keys(self, *, per_host: bool) -> list[str]:
        """The words that can stand under the family, or under one of its hosts."""
        return [
            self.word(row)
            for row in self.rows
            if row.name != self.hosts
            and (Scope(row.scope).is_per_host if per_host else Scope(row.scope).is_global)
        ]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of a parameter by its full name."""

    family: str
    row: Row | None = None  # None: no table has it
    host: str | None = None  # set when it is the one of a single host

    @property
    def known(self) -> bool:
        return self.row is not None


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All families, shipped and of the site. `applications` are the BMAs that the site has defined, by name."""

    families: Mapping[str, Table] = field(default_factory=dict)
    applications: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    _rows: Mapping[str, tuple[Table, Row]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = {row.name: (table, row) for table in self.families.values() for row in table.rows}
        object.__setattr__(self, "_rows", rows)

    def names(self) -> list[str]:
        """Every parameter's name that a table has, those of single hosts without the host."""
        return [row.name for table in self.families.values() for row in table.rows]

    def restart(self, standing: Standing) -> str:
        """The service that must be restarted when this parameter changes; "" for none."""
        table = self.families.get(standing.family)
        return (standing.row.restart if standing.row else "") or (table.restart if table else "")

    def standing(self, name: str) -> Standing:
        """Which family a parameter of the live file belongs to, and the row that speaks of it."""
        rows = self._rows
        if name in rows and Scope(rows[name][1].scope).is_global:
            return Standing(family=rows[name][0].family, row=rows[name][1])
        for stem in _stems(name):
            if stem in rows and Scope(rows[stem][1].scope).is_per_host:
                table, row = rows[stem]
                return Standing(family=table.family, row=row, host=name[len(stem) + 1 :])
        return Standing(family=self._family(name))

    def _family(self, name: str) -> str:
        prefixed = [t for t in self.families.values() if t.prefix and name.startswith(t.prefix)]
        return max(prefixed, key=lambda t: len(t.prefix)).family if prefixed else OTHER


def _stems(name: str) -> Iterator[str]:
    """The longest first: what may stand before `_HOST`."""
    while "_" in name:
        name = name.rpartition("_")[0]
        yield name
