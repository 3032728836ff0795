"""Reading parameter tables: the shipped ones, and those a site lays over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vtsconf.core.document import read_document
from vtsconf.core.problem import Place, Problem
from vtsconf.core.tables import Row, Scope, Table, Tables
from vtsconf.core.tree import Map, Path, place_of, plain
from vtsconf.core.validation import validated

# Sections of `vts` that are no parameter families.
RESERVED = (
    *("release", "config_file", "confirm_within", "state_dir", "services", "files", "commands", "health"),
    *("bma", "policies", "vtspolicy", "tape_is_free", "vaults", "allow_erase", "drift"),
)


_OWN_WORDS = ("hosts", "rules")  # under a family these are no parameters


@dataclass(frozen=True, kw_only=True)
class _Source:
    """One file's table and where its parts were written."""

    table: Table
    root: Map

    def place(self, path: Path, *, key: bool = False) -> Place:
        return place_of(self.root, path, key=key)


def read_tables(shipped: Mapping[str, str], site: Mapping[str, str]) -> tuple[Tables, list[Problem]]:
    """All tables together, from the texts of their files by file name.

    Shipped tables without errors are expected (ValueError). Of the site's, a table or row with an
    error is left out, and its problem told.
    """
    families = _shipped(shipped)
    problems: list[Problem] = []
    for file in sorted(site):
        source, wrong = _source(site[file], file)
        problems += wrong
        if source is not None:
            table, wrong = _laid(families.get(source.table.family), source)
            problems += wrong
            if all(problem.address for problem in wrong):  # a wrong row is left out, a wrong head is the end
                families[table.family] = table
    return Tables(families=families), problems + list(_shared_names(families))


def _shipped(files: Mapping[str, str]) -> dict[str, Table]:
    families = {}
    for file, text in sorted(files.items()):
        source, problems = _source(text, file)
        if source is None:
            raise ValueError("; ".join(str(p) for p in problems))
        families[source.table.family] = source.table
    return families


def _source(text: str, file: str) -> tuple[_Source | None, list[Problem]]:
    root, problems = read_document(text, file)
    if problems or root is None:
        return None, problems or [Problem(what="the table is empty", code="table", place=Place(file))]
    if not isinstance(root, Map):
        remedy = "write family: and rows:"
        return None, [Problem(what="a table is a map", remedy=remedy, code="table", place=root.place)]

    def locate(path: Path, *, key: bool = False) -> Place:
        return place_of(root, path[1:], key=key)  # the path begins with the word for the document

    table, problems = validated(Table, plain(root), path=("table",), locate=locate)
    return (_Source(table=table, root=root) if table else None), problems


def _laid(under: Table | None, source: _Source) -> tuple[Table, list[Problem]]:
    """The site's table, laid over the one of the same family where there is one."""
    over = source.table
    problems = list(_wrong_rows(under, source))
    bad = {p.address for p in problems}
    rows = {row.name: row for row in (under.rows if under else ())}
    rows |= {row.name: row for row in over.rows if row.name not in bad}
    if under is None:
        return over.model_copy(update={"rows": tuple(rows.values())}), problems
    changed = {"rows": tuple(rows.values()), "restart": over.restart or under.restart}
    return under.model_copy(update=changed), problems


def _wrong_rows(under: Table | None, source: _Source) -> Iterator[Problem]:
    table = source.table
    if under is None and table.family in RESERVED:
        yield _problem(
            source, ("family",), f"`{table.family}` is a section of vts already", "name it otherwise"
        )
    if under is not None and table.prefix not in ("", under.prefix):
        yield _problem(
            source, ("prefix",), f"the prefix of {table.family} is `{under.prefix}`", "leave `prefix` out"
        )
    base = under or table
    words = {base.word(row): row.name for row in (under.rows if under else ())} | dict.fromkeys(
        _OWN_WORDS, ""
    )
    taken = {row.name: row for row in (under.rows if under else ())}
    for index, row in enumerate(table.rows):
        earlier = taken.get(row.name)
        taken[row.name] = row
        if earlier and not row.override:
            yield _problem(
                source,
                ("rows", index, "name"),
                f"`{row.name}` has a row already, from {earlier.source}",
                "take it out, or write `override: true` in the row if yours is to count",
                row,
            )
        if words.setdefault(base.word(row), row.name) != row.name:
            yield _problem(
                source,
                ("rows", index, "key"),
                f"`{base.word(row)}` is taken as a key of {table.family}",
                "write another `key`",
                row,
            )
        if Scope(row.scope).is_per_host and not base.hosts:
            yield _problem(
                source,
                ("rows", index, "scope"),
                f"{table.family} has no hosts",
                "write the table's `hosts`: the parameter that lists them",
                row,
            )
        if base.prefix and not row.name.startswith(base.prefix):
            yield _problem(
                source,
                ("rows", index, "name"),
                f"`{row.name}` does not begin with `{base.prefix}`",
                "write the parameter's full name",
                row,
            )
        if row.status == "documented":
            yield _problem(
                source,
                ("rows", index, "status"),
                "a site's row cannot be `documented`",
                "leave `status` out, and name your page in `source`",
                row,
            )


def _problem(source: _Source, path: Path, what: str, remedy: str, row: Row | None = None) -> Problem:
    return Problem(
        what=what, remedy=remedy, code="table", place=source.place(path), address=row.name if row else ""
    )


def _shared_names(families: Mapping[str, Table]) -> Iterator[Problem]:
    """Two families that claim one parameter."""
    owners: dict[str, str] = {}
    for table in families.values():
        for row in table.rows:
            if row.name in owners:
                yield Problem(
                    what=f"`{row.name}` is in the tables of {owners[row.name]} and {table.family}",
                    why="a parameter has one address",
                    remedy=f"take it out of {table.family}",
                    code="table",
                    address=row.name,
                )
            owners[row.name] = table.family
