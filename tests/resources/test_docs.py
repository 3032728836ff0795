"""The tables in docs/parameters.md and docs/lints.md are made from the code; `VTSCONF_WRITE_DOCS=1` writes them."""

import os
import re
from pathlib import Path

import pytest

from vtsconf.core.duration import seconds
from vtsconf.core.tablefile import read_tables
from vtsconf.core.tables import Scope
from vtsconf.engine.settings import is_time, read_settings
from vtsconf.resources.lints import ALL

ROOT = Path(__file__).parents[2]
SHIPPED = {f.name: f.read_text() for f in sorted((ROOT / "schemas" / "parameters").glob("*.yaml"))}
TABLES, _ = read_tables(SHIPPED, {})


def row_of(table, row):
    name = f"`{row.name}`"
    if Scope(row.scope).is_per_host:
        name = f"`{row.name}_HOST`" if row.scope == "per_host" else f"{name}, `{row.name}_HOST`"
    key = "(made of `hosts`)" if row.name == table.hosts else f"`{table.word(row)}`"
    meaning = f"{row.meaning} {row.note}".strip()
    return f"| {name} | {key} | {row.type} | {row.default or ''} | {meaning} | {row.source} |"


def family_of(table):
    head = [f"### {table.family}", "", table.meaning, ""]
    rows = [row_of(table, row) for row in table.rows]
    lines = [
        "| parameter | key | type | default | meaning | source |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]
    return "\n".join(head + (lines if rows else []))


def lint_of(check):
    return f"| {check.code} | {check.title} | {check.level} | {check.source} |"


def tables_text():
    return "\n".join(family_of(table) for table in TABLES.families.values()).rstrip()


def lints_text():
    head = ["| code | fires when | level | source |", "| --- | --- | --- | --- |"]
    return "\n".join(head + [lint_of(check) for check in ALL])


@pytest.mark.parametrize(
    ("page", "mark", "made"),
    [("parameters.md", "tables", tables_text()), ("lints.md", "lints", lints_text())],
)
def test_the_tables_of_the_pages_are_true(page, mark, made):
    path = ROOT / "docs" / page
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = path.read_text().partition(begin)
    _, _, after = rest.partition(end)
    wanted = f"{before}{begin}\n\n{made}\n\n{end}{after}"
    if os.environ.get("VTSCONF_WRITE_DOCS"):
        path.write_text(wanted)

    assert path.read_text() == wanted, (
        "stale: VTSCONF_WRITE_DOCS=1 python -m pytest tests/resources/test_docs.py"
    )


def test_every_check_of_the_fact_sheet_is_made_or_said_not_to_be():
    text = (ROOT / "docs" / "lints.md").read_text()

    assert [f"C{n}" for n in range(1, 24) if f"| C{n} |" not in text] == []


@pytest.mark.parametrize(
    "name", ["jobs", "jobs_per_host", "jobs_per_bma", "failures_in_a_row", "look_every", "keep_runs"]
)
def test_the_page_of_migrations_has_the_settings_with_their_defaults(name, tmp_path):
    settings, _ = read_settings(tmp_path, flags={}, environ={}, home=tmp_path)
    ((written,),) = [
        re.findall(rf"^\| `{name}` \| (\S+) \|", (ROOT / "docs/migrations.md").read_text(), re.MULTILINE)
    ]

    assert getattr(settings, name) == (seconds(written) if is_time(name) else int(written))
