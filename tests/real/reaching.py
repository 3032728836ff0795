"""What the tests of SSH do with a server: connect, execute, be refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.endpoint import Here
from vtsconf.transport.server import Exit
from vtsconf.transport.ssh import SshConnector


def connector(tmp_path: Path, said: list[str] | None = None) -> SshConnector:
    """One whose home is empty."""
    told = [] if said is None else said
    return SshConnector(warn=told.append, here=Here(user="operator", home=str(tmp_path)))


def execute(target: Target, command: str, *stdin: bytes, tmp_path: Path) -> tuple[Exit, bytes]:
    session = connector(tmp_path).connect(target)
    try:
        out: list[bytes] = []
        return session.execute(command, stdin, out.append), b"".join(out)
    finally:
        session.close()


def refused(target: Target, tmp_path: Path, command: str = "true") -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        execute(target, command, tmp_path=tmp_path)
    text = f"{caught.value} {caught.value.remedy}"
    assert "Traceback" not in text
    assert caught.value.remedy
    return caught.value
