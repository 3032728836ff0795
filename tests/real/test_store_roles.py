"""The roles of docs/store.md, by its own SQL: an owner, a controller that owns nothing, and an auditor, on a real PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.e2e.test_migrate_kills import run
from tests.real.postgres import Postgres
from vtsconf.engine.lab.lab import Lab

pytestmark = pytest.mark.real
PAGE = (Path(__file__).parents[2] / "docs/store.md").read_text()
OWNED, AUDITOR, CONTROLLER = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
POLICY = """\
vts:
  bma: {tsm: {}}
  policies: {one: {select: {pools: [POOL1]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY)
        yield lab


def become(lab: Lab, url: str, role: str) -> None:
    (lab.folder / "vtsconf.toml").write_text(f'store = "{url.replace("//vtsconf@", f"//{role}@")}"\n')


def do(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(statements.encode())


def test_each_role_can_do_its_work_and_no_more(lab: Lab, postgres: Postgres) -> None:
    url, (host,) = postgres.fresh(), lab.hosts
    roles = "drop role if exists {0}; create role {0} login;"
    do(url, "".join(roles.format(name) for name in ("keeper", "controller", "auditor")))
    do(url, OWNED.partition("\\c vtsconf\n")[2].replace("authorization vtsconf", "authorization keeper"))
    become(lab, url, "keeper")
    assert [0, 0] == [run(lab, "apply", "-y").returncode, run(lab, "migrate", "run").returncode]

    do(url, CONTROLLER + AUDITOR)
    become(lab, url, "controller")
    tape = host.path("/VAULT01/POOL1/A00001")
    tape.write_bytes(b"")
    back = run(lab, "migrate", "restore", host.name, str(tape))
    assert (0, 24_576) == (back.returncode, tape.stat().st_size), back.stderr
    (lab.folder / "group_vars" / "vts.yaml").write_text(POLICY + "  ems: {keep_alive: 301}\n")
    run(lab, "plan", "--out", "plan.json")
    rolled = run(lab, "rollout", "start", "plan.json", "--strategy", "all-at-once", "-y")
    assert 0 == rolled.returncode, rolled.stderr
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        do(url.replace("//vtsconf@", "//controller@"), "drop trigger events_stand on vtsconf.events")

    become(lab, url, "auditor")
    words = (("history",), ("migrate", "failed"), ("migrate", "report"), ("rollout", "report"))
    assert [0] * 4 == [run(lab, *one).returncode for one in words]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        do(url.replace("//vtsconf@", "//auditor@"), "select * from vtsconf.settings")


def test_a_role_without_the_engines_schema_is_told_what_it_lacks(lab: Lab, postgres: Postgres) -> None:
    url = postgres.fresh()
    do(url, "drop role if exists half; create role half login; create schema vtsconf authorization half")
    become(lab, url, "half")
    refused = run(lab, "migrate", "run")

    assert (1, True) == (refused.returncode, "docs/store.md" in refused.stderr), refused.stderr
