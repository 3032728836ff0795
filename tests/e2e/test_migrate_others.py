"""The executor with the lab's NetBackup and NetWorker: there, a failure, and back; and what a person says of jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

NETBACKUP = """\
vts:
  bma:
    netbackup:
      directory: "{{ vts_root }}/usr/openv/netbackup"
      servers: [master.lab]
      client_name: "{{ inventory_hostname }}"
      owner: "{{ vts_owner }}"
  policies:
    there: {select: {pools: [ONE]}, action: migrate, bma: netbackup, options: {policy: VTS}, retry: {attempts: 1}}
    back: {select: {pools: [ONE]}, action: restore, bma: netbackup, retry: {attempts: 1}}
"""
NETWORKER = """\
vts:
  bma:
    networker:
      servers_file: "{{ vts_root }}/nsr/res/servers"
      directory: "{{ vts_root }}/usr/sbin"
      servers: [nsr1.lab]
      client: "{{ inventory_hostname }}"
      owner: "{{ vts_owner }}"
  policies:
    there: {select: {pools: [ONE]}, action: migrate, bma: networker, retry: {attempts: 1}}
    back: {select: {pools: [ONE]}, action: restore, bma: networker, retry: {attempts: 1}}
"""


@pytest.fixture(params=[NETBACKUP, NETWORKER], ids=["netbackup", "networker"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(request.param)
        applied = run(lab, "apply", "-y")
        assert 0 == applied.returncode, applied.stderr
        pool = lab.hosts[0].path("/VAULT01/ONE")
        pool.mkdir()
        (pool / "T00001").write_bytes(b"precious" * 1000)
        yield lab


def jobs(lab: Lab) -> dict[str, dict]:
    """By action."""
    return {job["action"]: job for job in json.loads(run(lab, "migrate", "status", "--json").stdout)["jobs"]}


def test_there_and_back_by_policy(lab: Lab) -> None:
    tape = lab.hosts[0].path("/VAULT01/ONE/T00001")
    there = run(lab, "migrate", "run")
    job = jobs(lab)["migrate"]
    assert (0, "done") == (there.returncode, job["status"]), (there.stdout, job["reason"])
    assert all(job["witnesses"].values())

    tape.write_bytes(b"")
    back = run(lab, "migrate", "run")

    assert (0, "done") == (back.returncode, jobs(lab)["restore"]["status"]), back.stdout
    assert b"precious" * 1000 == tape.read_bytes()


def test_a_code_of_failure_is_not_done_and_a_person_has_the_last_word(lab: Lab) -> None:
    (host,) = lab.hosts
    with (lab.folder / "vtsconf.toml").open("a") as settings:
        settings.write("\nfailures_in_a_row = 1\n")
    host.break_("bma", "no-server")
    failed = run(lab, "migrate", "run")
    job = jobs(lab)["migrate"]
    told = run(lab, "migrate", "status").stdout
    assert (5, True) == (failed.returncode, job["status"] in {"failed", "parked"}), (failed.stdout, job)

    assert "to do: vtsconf migrate retry --bma" in told, told
    name = told.partition("retry --bma ")[2].split()[0]
    assert 0 == run(lab, "migrate", "retry", "--bma", name).returncode
    assert 0 == run(lab, "migrate", "retry", "--policy", "there").returncode
    assert "is parked" not in run(lab, "migrate", "status").stdout

    assert 0 == run(lab, "migrate", "abandon", job["id"][:8]).returncode
    now = jobs(lab)["migrate"]
    assert ("cancelled", True) == (now["status"], now["reason"].startswith("abandoned by "))
    assert 0 == run(lab, "migrate", "failed").returncode
    assert 64 == run(lab, "migrate", "abandon", "zzzz").returncode
    assert b"precious" * 1000 == host.path("/VAULT01/ONE/T00001").read_bytes()
