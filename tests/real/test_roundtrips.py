"""One round trip to read a server, one to change it, one to confirm: counted in sshd's own log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.conftest import StartOpenSsh
from tests.real.openssh import OpenSsh
from tests.real.sshkeys import keys

ROOT = "/usr/local/tape"
CONFIG = f"{ROOT}/vts.conf"
RULES = f"{ROOT}/rules"
SERVICE = f"{ROOT}/service"
DESIRED = f"""\
vts:
  config_file: {CONFIG}
  services:
    tapes: {{restart: [{SERVICE}, restart], status: [{SERVICE}, status]}}
  parameters: {{option_one: one, option_two: two}}
  files:
    {RULES}: {{content: "a rule\\n", restart: [tapes]}}
  commands:
    kernel: {{check: [uname, -r], run: ["false"]}}
  health:
    alive: {{run: [test, -s, {CONFIG}]}}
"""

Vtsconf = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def servers(openssh: StartOpenSsh) -> list[OpenSsh]:
    """Three servers with a service and a configuration file that is out of date."""
    started = [openssh(own=(ROOT,)) for _ in range(3)]
    for server in started:
        server.path(CONFIG).write_text("option_one='old'\noption_other='kept'\n")
        server.path(SERVICE).write_text(f'#!/bin/sh\n[ "$1" = status ] || echo again >>{ROOT}/restarts\n')
        server.path(SERVICE).chmod(0o755)
    return started


@pytest.fixture
def vtsconf(tmp_path: Path, servers: list[OpenSsh]) -> Vtsconf:
    """Runs the program in a project that has these servers."""
    project = tmp_path / "project"
    (project / "group_vars").mkdir(parents=True)
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text("".join(server.known_hosts() for server in servers))
    hosts = "".join(f"    vts{n}: {{ansible_port: {s.port}}}\n" for n, s in enumerate(servers, 1))
    (project / "inventory.yaml").write_text(
        "all:\n  vars:\n"
        f"    ansible_host: {servers[0].address}\n    ansible_user: root\n"
        f"    ansible_ssh_private_key_file: {keys().user}\n"
        f"    vts_ssh_known_hosts: {known_hosts}\n    vts_ssh_config: ''\n"
        f"  hosts:\n{hosts}"
    )
    (project / "group_vars/all.yaml").write_text(DESIRED)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vtsconf.cli.main", *words],
            cwd=project,
            env={**os.environ, "VTSCONF_TRACEBACK": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def counts(servers: list[OpenSsh]) -> list[tuple[int, int]]:
    """(connections, execs) of each server so far."""
    return [(server.connections(), server.execs()) for server in servers]


def test_plan_is_one_connection_and_one_exec(servers: list[OpenSsh], vtsconf: Vtsconf) -> None:
    done = vtsconf("plan", "--detailed-exitcode")

    assert (done.returncode, counts(servers)) == (2, [(1, 1)] * 3), done.stdout + done.stderr


def test_apply_of_a_plan_is_one_exec_to_change_and_a_new_connection_to_confirm(
    servers: list[OpenSsh], vtsconf: Vtsconf
) -> None:
    planned = vtsconf("plan", "--out", "change.plan")
    assert (planned.returncode, counts(servers)) == (0, [(1, 1)] * 3), planned.stdout + planned.stderr

    applied = vtsconf("apply", "change.plan")

    assert (applied.returncode, counts(servers)) == (0, [(3, 3)] * 3), applied.stdout + applied.stderr
    assert [server.path(f"{ROOT}/restarts").read_text() for server in servers] == ["again\n"] * 3
    assert [server.path(CONFIG).read_text() for server in servers] == [
        "option_one='one'\noption_other='kept'\noption_two='two'\n"
    ] * 3


def test_apply_with_nothing_to_do_reads_once_and_touches_nothing(
    servers: list[OpenSsh], vtsconf: Vtsconf
) -> None:
    first = vtsconf("apply", "--yes")
    before = counts(servers)
    assert (first.returncode, before) == (0, [(3, 3)] * 3), first.stdout + first.stderr

    again = vtsconf("apply", "--yes")

    assert (again.returncode, counts(servers)) == (0, [(4, 4)] * 3), again.stdout + again.stderr
    assert [server.path(f"{ROOT}/restarts").read_text() for server in servers] == ["again\n"] * 3


def test_a_plan_without_changes_imports_no_deepdiff(
    servers: list[OpenSsh], vtsconf: Vtsconf, tmp_path: Path
) -> None:
    assert vtsconf("apply", "--yes").returncode == 0
    program = (
        "import sys; from vtsconf.cli.main import run; "
        "assert run(['plan', '--detailed-exitcode']) == 0; print([*{'deepdiff', 'jinja2'} & {*sys.modules}])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "project", capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
