"""Lab servers for a whole module of tests, and commands run against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Ended, Vtsconf
from vtsconf.cli.main import run
from vtsconf.engine.lab.lab import Host, Lab


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("lab") / "lab", servers=2) as lab:
        yield lab


@pytest.fixture
def vts1(servers: Lab) -> Iterator[Host]:
    """The first server, without faults before and after."""
    host = servers.host("vts1")
    yield host
    host.mend()


@pytest.fixture
def vtsconf(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Vtsconf:
    """`vtsconf WORDS`, in this process."""
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*words: str | Path) -> Ended:
        capsys.readouterr()
        code = run([str(word) for word in words])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert "this is a bug" not in told.err
        return Ended(code, told.out, told.err)

    return command


Project = Callable[..., Path]


@pytest.fixture
def project(servers: Lab, tmp_path: Path) -> Project:
    """`project("vts: {…}")`: an inventory of the first server alone, with these variables; {root} is its tree."""

    def write(variables: str = "", **connection: object) -> Path:
        host = servers.host("vts1")
        ways = {
            "ansible_host": "127.0.0.1",
            "ansible_port": host.port,
            "ansible_user": "vtsa",
            "ansible_ssh_private_key_file": str(servers.folder / ".lab/id"),
            "vts_ssh_known_hosts": str(servers.folder / ".lab/known_hosts"),
            "vts_ssh_config": "",
            "vts_ssh_agent": False,
            "ansible_timeout": 5,
            "vts_root": str(host.tree.root),
        }
        folder = tmp_path / "project"
        (folder / "group_vars").mkdir(parents=True, exist_ok=True)
        (folder / "inventory.yaml").write_text(json.dumps({"all": {"hosts": {"vts1": ways | connection}}}))
        text = variables.replace("{root}", str(host.tree.root))
        (folder / "group_vars" / "all.yaml").write_text(text)
        return folder

    return write
