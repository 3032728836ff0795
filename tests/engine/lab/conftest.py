"""A lab for a test module, and a way to run a command on its servers over real SSH."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.lab.servers import Ended, Run, target
from vtsconf.engine.lab.host import Host
from vtsconf.engine.lab.lab import Lab
from vtsconf.transport.ssh import SshConnector


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("lab") / "lab", servers=2) as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Iterator[Host]:
    """The first server, without faults before and after."""
    host = lab.host("vts1")
    yield host
    host.mend()


@pytest.fixture
def run(lab: Lab, host: Host) -> Run:
    """Run one command on the first server, over a connection of its own."""

    def run(command: str, stdin: bytes = b"", **more: object) -> Ended:
        session = SshConnector(warn=lambda _: None).connect(target(lab, host, **more))
        out: list[bytes] = []
        try:
            ended = session.execute(command, [stdin], out.append)
        finally:
            session.close()
        return Ended(ended.code, b"".join(out), ended.stderr)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lab"
