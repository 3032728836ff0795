"""Connecting, as far as no server is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.transport.endpoint import Here
from vtsconf.transport.ssh import SshConnector


def connector(home: Path, config: str) -> SshConnector:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text(config)
    return SshConnector(warn=lambda _: None, here=Here(user="operator", home=str(home)))


def test_a_circle_of_jump_hosts_is_refused_at_once(tmp_path):
    circle = connector(tmp_path, "Host vts1\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(Unreachable, match="vts1: more than 8 jump hosts"):
        circle.connect(Target(name="vts1"))


def test_a_jump_host_for_all_is_not_its_own(tmp_path):
    everyone = connector(tmp_path, "Host *\n ProxyJump gate.invalid\n")
    with pytest.raises(
        Unreachable, match=r"vts1: through the jump host gate\.invalid: gate\.invalid: the address"
    ):
        everyone.connect(Target(name="vts1"))


def test_paramiko_is_imported_late_and_invoke_not_at_all():
    script = """
import sys
from vtsconf.transport.ssh import SshConnector, load_paramiko
SshConnector()
early = "paramiko" in sys.modules
load_paramiko()
import paramiko.transport
print(early, "paramiko" in sys.modules, "invoke" in sys.modules)
import invoke
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert said == "False True False\n"
